"""Loss oscillation as numbers: how ID and triplet loss move, each on its own and against each other. Pure functions.

The run is cut into WINDOWS equal parts; their means are the smoothed loss, and the line through them its trend. All
indices but spikes and recovery are about shares of a run, so the same shape stretched over more iterations has the
same index, up to the edges of windows. No index changes when a loss is multiplied by a positive number.
"""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from reid.training.diagnostics.conflict import CONFLICT_FIELDS

Array = NDArray[np.float64]

WINDOWS = 40
FEWEST = 4  # iterations a window; a shorter run has fewer windows
SPIKE = 4.0  # robust standard deviations above the running median
CHOSEN = "weighted_disagreement"  # docs/decisions/0010-oscillation.md
LOSSES = ("id", "triplet")
OF_ONE = ("amplitude", "turns", "rise", "spikes", "recovery")
OF_BOTH = ("disagreement", "weighted_disagreement", "correlation")
OF_CURVES = ("oscillation", *(f"{loss}_{index}" for index in OF_ONE for loss in LOSSES), *OF_BOTH)
INDICES = (*OF_CURVES, *CONFLICT_FIELDS)


def oscillation(id_loss: ArrayLike, triplet_loss: ArrayLike) -> dict[str, float]:
    """Every index of a run by name, from its raw losses (T,) and (T,); the chosen one under "oscillation" as well.

    Per loss, after the prefix `id_` or `triplet_`: `amplitude`, `turns`, `rise`, `spikes`, `recovery`; of both:
    `disagreement`, `weighted_disagreement`, `correlation`. Counted up to the first iteration at which a loss is not
    finite. NaN where a loss is off (all NaN) or the run is shorter than three windows, 12 iterations.
    Raises ValueError for curves that are not of one length.
    """
    curves = {loss: np.asarray(curve, float) for loss, curve in zip(LOSSES, (id_loss, triplet_loss), strict=True)}
    first, second = curves.values()
    if first.ndim != 1 or first.shape != second.shape:
        raise ValueError(f"two curves of one length (T,) are needed, found {first.shape} and {second.shape}")
    on = [loss for loss, curve in curves.items() if not np.isnan(curve).all()]
    end = min((_finite(curves[loss]) for loss in on), default=0)
    found = dict.fromkeys(OF_CURVES, np.nan)
    if end < 3 * FEWEST:
        return found
    curves = {loss: curves[loss][:end] for loss in on}
    for loss, curve in curves.items():
        found[f"{loss}_amplitude"] = amplitude(curve)
        found[f"{loss}_turns"], found[f"{loss}_rise"] = turns(curve)
        found[f"{loss}_spikes"], found[f"{loss}_recovery"] = spikes(curve)
    if len(on) == 2:
        found["disagreement"], found["weighted_disagreement"] = disagreement(*curves.values())
        found["correlation"] = correlation(*curves.values())
    return found | {"oscillation": found[CHOSEN]}


def measure_dynamics(curves: pd.DataFrame) -> dict[str, float]:
    """INDICES of a run from its per-iteration curves: `oscillation`, and the mean of each measure of conflict, NaN
    where it was never measured (a loss is off, or the run is older than the measure).
    """
    conflict = curves.reindex(columns=list(CONFLICT_FIELDS)).mean()
    found = oscillation(curves["id_loss"], curves["triplet_loss"])
    return found | {name: float(conflict[name]) for name in CONFLICT_FIELDS}


def amplitude(curve: Array) -> float:
    """Root mean square of the loss (T,) around its trend, as a share of its mean over the first window.

    Divided by where the loss starts rather than by where it is: a coefficient of variation grows without anything
    happening as the loss nears zero. Not invariant to adding a constant.
    """
    return float(np.sqrt(np.mean((curve - _trend(curve)) ** 2)) / abs(_smooth(curve)[0]))


def turns(curve: Array) -> tuple[float, float]:
    """Sign-change rate of the slope: share of inner windows at which the smoothed loss (T,) turns up or down; and rise,
    the share of all its movement that goes up, NaN where it stands still.

    Turns are 0 for a monotone loss, 2/3 for noise without trend (Bienaymé's turning-point test), 1 for a zigzag. They
    count the trembling of a loss that has settled like any other; the rise weighs every step by its size. Both
    invariant to adding a constant.
    """
    slopes = np.diff(_smooth(curve))
    moved = np.abs(slopes).sum()
    rise = float(slopes[slopes > 0].sum() / moved) if moved > 0 else np.nan
    return float(np.mean(slopes[1:] * slopes[:-1] < 0)), rise


def spikes(curve: Array) -> tuple[float, float]:
    """Spikes an iteration, and recovery: mean iterations from a spike's begin until the loss (T,) is back; NaN without.

    A spike begins where the loss rises over its running median by more than SPIKE robust standard deviations (1.4826 x
    the running median of absolute deviations; both over a tenth of the run, so that they follow a falling loss), and
    is over where the loss is no longer above that median. Invariant to adding a constant; a run stretched k times has
    1/k of the rate and k times the recovery.
    """
    span = max(5, len(curve) // 10)
    series = pd.Series(curve)
    over = series - series.rolling(span, center=True, min_periods=1).median()
    scale = 1.4826 * over.abs().rolling(span, center=True, min_periods=1).median()
    high, above = (over > SPIKE * scale).to_numpy(), (over > 0).to_numpy()
    lengths: list[int] = []
    at = 0
    while (begin := at + int(high[at:].argmax())) < len(curve) and high[begin]:
        at = begin + int(np.append(~above[begin:], True).argmax())
        lengths.append(at - begin)
        if at == len(curve):
            break
    return len(lengths) / len(curve), float(np.mean(lengths)) if lengths else np.nan


def disagreement(id_loss: Array, triplet_loss: Array) -> tuple[float, float]:
    """Share of steps between windows in which one smoothed loss falls while the other rises; and the same weighted.

    The weight of a step is the product of the two slopes' sizes, so that small trembling of a loss that has settled
    counts little; scales cancel. 0: they always move together, 1: always against each other. NaN where a loss stands
    still. Both invariant to adding a constant.
    """
    product = np.diff(_smooth(id_loss)) * np.diff(_smooth(triplet_loss))
    total = np.abs(product).sum()
    return float(np.mean(product < 0)), float(-product[product < 0].sum() / total) if total > 0 else np.nan


def correlation(id_loss: Array, triplet_loss: Array) -> float:
    """Pearson's correlation, -1..1, of what is left of each loss (T,) without its trend; NaN where nothing is left.

    Two losses of the same batches share the batches' difficulty, which makes it positive unless they fight.
    Invariant to adding constants.
    """
    one, two = (curve - _trend(curve) for curve in (id_loss, triplet_loss))
    size = np.sqrt((one**2).sum() * (two**2).sum())
    return float((one * two).sum() / size) if size > 0 else np.nan


def _finite(curve: Array) -> int:
    """Iterations before the first value that is not finite."""
    return int(np.append(~np.isfinite(curve), True).argmax())


def _edges(length: int) -> NDArray[np.int64]:
    """First iterations of the windows, and the end."""
    return np.linspace(0, length, min(WINDOWS, length // FEWEST) + 1).round().astype(np.int64)


def _smooth(curve: Array) -> Array:
    """Mean of the curve (T,) in each window."""
    edges = _edges(len(curve))
    means: Array = np.add.reduceat(curve, edges[:-1]) / np.diff(edges)
    return means


def _trend(curve: Array) -> Array:
    """The line through the windows' means (T,); beyond the outermost middles it goes on as it was."""
    edges = _edges(len(curve))
    middles, means = (edges[:-1] + edges[1:] - 1) / 2, _smooth(curve)
    place = np.arange(len(curve), dtype=float)
    line: Array = np.interp(place, middles, means)
    for outer, inner, beyond in ((0, 1, place < middles[0]), (-1, -2, place > middles[-1])):
        slope = (means[outer] - means[inner]) / (middles[outer] - middles[inner])
        line[beyond] = means[outer] + slope * (place[beyond] - middles[outer])
    return line
