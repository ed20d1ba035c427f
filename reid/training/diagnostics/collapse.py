"""Whether a training that ran to its end learnt anything."""

import numpy as np
import pandas as pd


def learnt_nothing(curves: pd.DataFrame, num_classes: int, mAP: float, random_mAP: float) -> str | None:
    """Why a training that ran to its end has diverged all the same, or None if it learnt something.

    `curves` has a row an iteration (`step_fields`). The features have collapsed to a point when over the last epoch the
    distance to the hardest negative is under 1 % of what it was at first: the known failure of the batch-hard triplet
    loss, which then stays at its margin. A training is at chance when over the last epoch the ID loss is not below that
    of guessing, log(num_classes) nats, accuracy is not above twice that of guessing, and mAP is not above twice that of
    a random order; all three, since one loss may teach the feature what the other does not. Without an ID loss the
    first two are not asked.
    """
    last = curves[curves["epoch"] == curves["epoch"].max()]
    at_first, at_last = float(curves["dist_an"].iloc[0]), float(last["dist_an"].mean())
    if at_last < 0.01 * at_first:
        return f"collapsed features: hardest negatives at distance {at_last:.2g}, {at_first:.2g} at first"
    id_loss, accuracy = float(last["id_loss"].mean()), float(last["accuracy"].mean())
    if id_loss < 0.99 * np.log(num_classes) or accuracy > 2 / num_classes or mAP > 2 * random_mAP:
        return None
    return f"chance level: mAP {100 * mAP:.1f} % where a random order scores {100 * random_mAP:.1f} %"
