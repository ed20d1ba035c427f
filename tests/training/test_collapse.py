import numpy as np
import pandas as pd
import pytest

from reid.metrics.signs import Sign
from reid.training import learnt_nothing

AT_CHANCE = pd.DataFrame(
    {"epoch": [1, 2, 2], "id_loss": [4.3, 4.2, 4.2], "accuracy": [0.0, 0.0, 0.02], "dist_an": [2.0, 1.0, 1.0]}
)
COLLAPSED = AT_CHANCE.assign(dist_an=[2.17, 0.001, 0.001])


@pytest.mark.parametrize(
    ("curves", "mAP", "signs"),
    [
        (AT_CHANCE, 0.06, (Sign.ID_LOSS, Sign.RANKING)),
        (AT_CHANCE, 0.16, (Sign.ID_LOSS,)),
        (AT_CHANCE.assign(id_loss=3.9), 0.06, (Sign.RANKING,)),
        (AT_CHANCE.assign(id_loss=3.9), 0.16, ()),
        (AT_CHANCE.assign(id_loss=np.nan), 0.06, (Sign.RANKING,)),
        (AT_CHANCE.assign(id_loss=np.nan), 0.30, ()),
        (COLLAPSED.assign(id_loss=3.9), 0.16, (Sign.COLLAPSED,)),
        (COLLAPSED, 0.04, (Sign.ID_LOSS, Sign.RANKING, Sign.COLLAPSED)),
    ],
)
def test_each_sign_stands_for_itself(curves: pd.DataFrame, mAP: float, signs: tuple[Sign, ...]) -> None:
    """64 classes: guessing costs 4.16 nats."""
    assert learnt_nothing(curves, 64, mAP, random_mAP=0.05) == signs


@pytest.mark.parametrize("accuracy", [0.0, 0.5, 1.0])
def test_the_accuracy_of_training_has_no_say(accuracy: float) -> None:
    assert learnt_nothing(AT_CHANCE.assign(accuracy=accuracy), 64, 0.06, 0.05) == (Sign.ID_LOSS, Sign.RANKING)
