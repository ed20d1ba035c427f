"""Which knob matters: fANOVA and PED-ANOVA over the complete trials of a study, with bootstrap intervals.

fANOVA (Hutter et al., ICML 2014) shares out the variance of the objective over the whole space; PED-ANOVA (Watanabe et
al., IJCAI 2023) asks which knobs tell the best tenth of the trials from the others. They answer different questions and
may disagree; under 50 trials (five in the best tenth) neither says much.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.importance import FanovaImportanceEvaluator, PedAnovaImportanceEvaluator, get_param_importances
from optuna.importance._base import BaseImportanceEvaluator
from optuna.trial import FrozenTrial, TrialState

from reid.store.study import ImportanceRecord, KnobImportance, KnobValue, ObjectiveImportance

FEWEST_TRIALS = 50
DRAWS = 100
TREES = 16
OFF_GAP = 0.1  # where a knob is off: so much of its range below its low end
EVALUATORS: dict[str, Callable[[], BaseImportanceEvaluator]] = {
    "fanova": partial(FanovaImportanceEvaluator, n_trees=TREES, seed=0),
    "ped_anova": PedAnovaImportanceEvaluator,
}


def importances(study: optuna.Study, draws: int = DRAWS) -> ImportanceRecord:
    """Share of each knob by both methods, for every objective of the study.

    low and high are the 95 % percentile interval over `draws` bootstrap samples of the trials (seeded: the same study
    gives the same numbers), widened to hold the estimate. Refused under 50 complete trials, or where all of them have
    one value.
    """
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    trials = [trial for trial in complete if all(map(math.isfinite, trial.values))]
    if len(trials) < FEWEST_TRIALS:
        why = f"{len(trials)} complete trials are too few: with fewer than {FEWEST_TRIALS} the methods contradict each"
        return ImportanceRecord(n_trials=len(trials), refused=f"{why} other and themselves")
    values = np.array([trial.values for trial in trials])
    if (np.ptp(values, axis=0) == 0).any():
        why = "all complete trials have the same value: no knob did anything"
        return ImportanceRecord(n_trials=len(trials), refused=why)
    axes = {name: _axis(trials, name) for name in sorted({name for trial in trials for name in trial.params})}
    with _quiet():
        first, *others = (
            ObjectiveImportance(
                **{
                    name: _with_interval(make, axes, values[:, i], direction, draws)
                    for name, make in EVALUATORS.items()
                }
            )
            for i, direction in enumerate(study.directions)
        )
    return ImportanceRecord(n_trials=len(trials), fanova=first.fanova, ped_anova=first.ped_anova, others=tuple(others))


@contextmanager
def _quiet() -> Iterator[None]:
    """No line of log for every study made in memory."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


@dataclass(frozen=True)
class _Axis:
    """A knob's values as both methods are to see them: with one range in every trial, logarithms where it is log."""

    distribution: BaseDistribution
    values: Sequence[KnobValue]


def _axis(trials: Sequence[FrozenTrial], name: str) -> _Axis:
    """The axis of a knob. Where a trial does not have it, it is off: a step below its low end, or a choice more.

    fANOVA itself would weigh a log knob by its linear range, and leave out a knob that some trials lack.
    """
    space = next(trial.distributions[name] for trial in trials if name in trial.distributions)
    values = [trial.params.get(name) for trial in trials]
    if isinstance(space, CategoricalDistribution):
        choices = [*space.choices, *([None] if None in values and None not in space.choices else [])]
        return _Axis(CategoricalDistribution(choices), values)
    scale: Callable[[float], float] = math.log10 if getattr(space, "log", False) else float
    low, high = scale(getattr(space, "low", 0.0)), scale(getattr(space, "high", 1.0))
    off = low - OFF_GAP * (high - low)
    seen = [off if value is None else scale(value) for value in values]
    return _Axis(FloatDistribution(min(low, *seen), high), seen)


def _with_interval(
    make: Callable[[], BaseImportanceEvaluator],
    axes: dict[str, _Axis],
    values: npt.NDArray[np.float64],
    direction: optuna.study.StudyDirection,
    draws: int,
) -> dict[str, KnobImportance]:

    def measure(rows: Sequence[int]) -> dict[str, float]:
        study = optuna.create_study(direction=direction)
        space = {name: axis.distribution for name, axis in axes.items()}
        study.add_trials(
            [
                optuna.trial.create_trial(
                    params={name: axis.values[row] for name, axis in axes.items()},
                    distributions=space,
                    value=float(values[row]),
                )
                for row in rows
            ]
        )
        return dict(get_param_importances(study, evaluator=make()))

    random, n = np.random.default_rng(0), len(values)
    estimate = measure(range(n))
    drawn = [measure(random.integers(0, n, n).tolist()) for _ in range(draws)]
    ends = {name: np.quantile([one[name] for one in drawn], [0.025, 0.975]) for name in axes}
    return {
        name: KnobImportance(
            importance=float(estimate[name]),
            low=float(min(ends[name][0], estimate[name])),
            high=float(max(ends[name][1], estimate[name])),
        )
        for name in axes
    }
