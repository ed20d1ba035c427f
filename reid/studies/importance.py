"""Which knob matters: fANOVA and PED-ANOVA over the complete trials of a study, with intervals, tested against noise.

fANOVA (Hutter et al., ICML 2014) shares out the variance of the objective over the whole space; PED-ANOVA (Watanabe et
al., IJCAI 2023) asks which knobs tell the best tenth of the trials from the others. They answer different questions and
may disagree; under 50 trials (five in the best tenth) neither says much.

Shares sum to 1 whatever the objective is, so pure noise has a largest one too. A knob is told from noise where hardly
any of many dealings of the values to the trials at random gives any knob as much (Altmann et al., Bioinformatics 26,
2010, with the largest of all knobs as Westfall and Young have it).
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.importance import PedAnovaImportanceEvaluator
from optuna.trial import FrozenTrial, TrialState

from reid.statistics.fanova import Floats, main_variances
from reid.store.study import ImportanceRecord, KnobImportance, KnobValue, ObjectiveImportance

FEWEST_TRIALS = 50
DRAWS = 100
DEALINGS = 119  # p of a method is a multiple of 1/120: corrected for two methods, 0.05 is three of them
TREES = 16
ROUNDING = 1e-9  # of the largest value: what varies less does not vary
OFF_GAP = 0.1  # where a knob is off: so much of its range below its low end
Rows = npt.NDArray[np.int64]
Measure = Callable[[Rows, Floats], Floats]  # of trials, and the values dealt to them: what each knob accounts for


def importances(study: optuna.Study, draws: int = DRAWS, dealings: int = DEALINGS) -> ImportanceRecord:
    """Share of each knob by both methods, for every objective of the study.

    low and high are the 95 % percentile interval over `draws` bootstrap samples of the trials (seeded: the same study
    gives the same numbers), widened to hold the estimate; p is corrected for all knobs and both methods. Refused under
    50 complete trials, or where all of them have one value.
    """
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    trials = [trial for trial in complete if all(map(math.isfinite, trial.values))]
    if len(trials) < FEWEST_TRIALS:
        why = f"{len(trials)} complete trials are too few: with fewer than {FEWEST_TRIALS} the methods contradict each"
        return ImportanceRecord(n_trials=len(trials), refused=f"{why} other and themselves")
    values = np.array([trial.values for trial in trials])
    if (np.ptp(values, axis=0) <= ROUNDING * np.abs(values).max(axis=0)).any():
        why = "all complete trials have the same value: no knob did anything"
        return ImportanceRecord(n_trials=len(trials), refused=why)
    axes = {name: _axis(trials, name) for name in sorted({name for trial in trials for name in trial.params})}
    with _quiet():
        first, *others = (
            ObjectiveImportance(
                **{
                    name: against_noise(measure, list(axes), values[:, i], draws, dealings)
                    for name, measure in _methods(list(axes.values()), direction).items()
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

    def coded(self) -> Floats:
        """From 0 to 1 over the range (n,), or a column a choice (n, choices)."""
        space = self.distribution
        if isinstance(space, CategoricalDistribution):
            return np.eye(len(space.choices))[[int(space.to_internal_repr(value)) for value in self.values]]
        low, high = getattr(space, "low", 0.0), getattr(space, "high", 1.0)
        return (np.array(self.values, dtype=float) - low) / ((high - low) or 1.0)


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


def _methods(axes: Sequence[_Axis], direction: optuna.study.StudyDirection) -> dict[str, Measure]:
    coded = [axis.coded() for axis in axes]

    def fanova(rows: Rows, values: Floats) -> Floats:
        return main_variances([knob[rows] for knob in coded], values, TREES)

    def ped_anova(rows: Rows, values: Floats) -> Floats:
        study = optuna.create_study(direction=direction)
        space = {str(k): axis.distribution for k, axis in enumerate(axes)}
        study.add_trials(
            [
                optuna.trial.create_trial(
                    params={str(k): axis.values[row] for k, axis in enumerate(axes)},
                    distributions=space,
                    value=value,
                )
                for row, value in zip(rows.tolist(), values.tolist(), strict=True)
            ]
        )
        found = PedAnovaImportanceEvaluator().evaluate(study)
        return np.array([found[name] for name in space])

    return {"fanova": fanova, "ped_anova": ped_anova}


def against_noise(
    measure: Measure, names: Sequence[str], values: Floats, draws: int, dealings: int
) -> dict[str, KnobImportance]:
    """Share, interval and p of every knob by one method."""
    random, n = np.random.default_rng(0), len(values)
    every = np.arange(n)
    found = measure(every, values)
    samples = (random.integers(0, n, n) for _ in range(draws))
    drawn = np.array([_shares(measure(rows, values[rows])) for rows in samples])
    largest = np.array([measure(every, random.permutation(values)).max() for _ in range(dealings)])
    p = (1 + (largest[:, None] >= found).sum(axis=0)) / (dealings + 1)
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    share = _shares(found)
    return {
        name: KnobImportance(
            importance=float(share[k]),
            low=float(min(low[k], share[k])),
            high=float(max(high[k], share[k])),
            p=min(1.0, len(ObjectiveImportance.model_fields) * float(p[k])),
        )
        for k, name in enumerate(names)
    }


def _shares(found: Floats) -> Floats:
    """Parts of their sum; nothing where nothing was found."""
    return found / (found.sum() or 1.0)
