"""Whether a training that ran to its end learnt anything."""

import numpy as np
import pandas as pd

from reid.metrics.signs import Sign


def learnt_nothing(curves: pd.DataFrame, num_classes: int, mAP: float, random_mAP: float) -> tuple[Sign, ...]:
    """The signs that a training learnt nothing; none where it learnt. It is finished all the same, with its low mAP.

    `curves` has a row an iteration (`step_fields`). The ID loss is at chance when over the last epoch it is not below
    that of guessing, log(num_classes) nats, and the ranking when mAP is not above twice that of a random order. The
    features have collapsed to a point when over the last epoch the distance to the hardest negative is under 1 % of
    what it was at first: the known failure of the batch-hard triplet loss, which then stays at its margin.
    """
    last = curves[curves["epoch"] == curves["epoch"].max()]
    seen = {
        Sign.ID_LOSS: float(last["id_loss"].mean()) >= 0.99 * np.log(num_classes),  # without an ID loss NaN: not seen
        Sign.RANKING: mAP <= 2 * random_mAP,
        Sign.COLLAPSED: float(last["dist_an"].mean()) < 0.01 * float(curves["dist_an"].iloc[0]),
    }
    return tuple(sign for sign, shown in seen.items() if shown)
