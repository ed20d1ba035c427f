import numpy as np
import pandas as pd

from reid.training import learnt_nothing

AT_CHANCE = pd.DataFrame(
    {"epoch": [1, 2, 2], "id_loss": [4.3, 4.2, 4.2], "accuracy": [0.0, 0.0, 0.02], "dist_an": [2.0, 1.0, 1.0]}
)


def test_loss_accuracy_and_ranking_at_chance() -> None:
    assert learnt_nothing(AT_CHANCE, 64, mAP=0.06, random_mAP=0.05) == (
        "chance level: mAP 6.0 % where a random order scores 5.0 %"
    )


def test_any_one_above_chance_is_learning() -> None:
    assert learnt_nothing(AT_CHANCE, 64, mAP=0.16, random_mAP=0.05) is None
    assert learnt_nothing(AT_CHANCE.assign(id_loss=3.9), 64, mAP=0.06, random_mAP=0.05) is None
    assert learnt_nothing(AT_CHANCE.assign(accuracy=0.2), 64, mAP=0.06, random_mAP=0.05) is None


def test_without_an_id_loss_the_ranking_decides() -> None:
    triplet_only = AT_CHANCE.assign(id_loss=np.nan)
    assert learnt_nothing(triplet_only, 64, mAP=0.06, random_mAP=0.05) is not None
    assert learnt_nothing(triplet_only, 64, mAP=0.30, random_mAP=0.05) is None


def test_features_that_collapsed_to_a_point() -> None:
    collapsed = AT_CHANCE.assign(dist_an=[2.17, 0.001, 0.001])
    assert learnt_nothing(collapsed, 160, mAP=0.16, random_mAP=0.02) == (
        "collapsed features: hardest negatives at distance 0.001, 2.2 at first"
    )
