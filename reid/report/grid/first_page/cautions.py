"""What the first page warns of before anyone reads a number."""

import numpy as np

from reid.analysis.results import MAIN, Results
from reid.analysis.verdict import LEVEL
from reid.metrics.formatting import probability, signed
from reid.report.elements import Alert
from reid.report.grid.cells import states

STILL_RISING = 0.005  # of mAP between the last two evaluations


def cautions(results: Results) -> list[Alert]:
    """The reasons for which this grid's verdicts say less than they seem to."""
    return [
        Alert(text)
        for text in (
            *_one_seed(results),
            *_placebo(results),
            *_still_rising(results),
            *_survivors(results),
            *_unequal(results),
        )
    ]


def _one_seed(results: Results) -> list[str]:
    if results.analysis.over_seeds:
        return []
    return [
        "All of this is one seed. An effect can change from seed to seed, and one seed cannot show by how much: "
        "what is said here holds for this seed, and another may say the opposite. Add seeds."
    ]


def _placebo(results: Results) -> list[str]:
    """Where an effect of nothing looks real: by chance in one grid of twenty, or else the errors are too small."""
    found = results.placebo
    if found is None or not found.p[0] < LEVEL:
        return []
    size, p = signed(MAIN, float(found.effect[0])), probability(float(found.p[0]))
    return [
        f"The placebo looks real ({size} points, p {p}), and it changes nothing but random streams. That happens by "
        "chance in one grid of twenty; believe small effects less."
    ]


def _still_rising(results: Results) -> list[str]:
    """Whether mAP rose between the last two evaluations, by half a point and beyond its noise."""
    gains = []
    for signature in results.runs["signature"][results.runs["state"] == "finished"]:
        evaluations = results.grid.run(signature).read_evaluations()
        if len(evaluations) > 1:
            gains.append(evaluations[-1].mAP - evaluations[-2].mAP)
    if len(gains) < 2:
        return []
    mean, error = float(np.mean(gains)), float(np.std(gains, ddof=1)) / np.sqrt(len(gains))
    if mean < STILL_RISING or mean < 2 * error:
        return []
    return [
        f"mAP was still rising at the last epoch ({signed(MAIN, mean)} points since the evaluation before): what only "
        "learns faster looks as if it helped. Train longer."
    ]


def _survivors(results: Results) -> list[str]:
    diverged = int((results.runs["state"] == "diverged").sum())
    if not diverged:
        return []
    many = f"{diverged} runs have" if diverged > 1 else "A run has"
    return [
        f"{many} diverged ({states(results)}), which leaves no mAP: means and effects are those of the "
        "survivors; what a factor does to divergence is told first where it is sure."
    ]


def _unequal(results: Results) -> list[str]:
    factor = int(results.analysis.groups)
    if factor < 0:
        return []
    return [
        f"The noise of a run depends on {results.plan.factors[factor].title or results.names[factor]} (Levene's test). "
        "Comparisons of single arms use the noise of their own kind; main effects hold."
    ]
