"""From knobs to Optuna's search space and back, and who proposes and who prunes."""

import warnings
from collections.abc import Mapping, Sequence

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.pruners import BasePruner
from optuna.samplers import BaseSampler

from reid.seeding import seed_of
from reid.store.study import KnobRecord, KnobValue, KnobValues
from reid.studies.study_file import Sampler

STARTUP_TRIALS = 5  # complete trials before the median is one
WILCOXON_P = 0.15  # three seeds of three worse: p = 0.125


def space(knobs: Sequence[KnobRecord]) -> dict[str, BaseDistribution]:
    """Optuna's parameters: one a knob, and a switch beside a range that has another value besides.

    The number behind a switch that is on does nothing. Both are always proposed, so that the space is the same in every
    trial: multivariate TPE, Gaussian processes and CMA-ES know no other.
    """
    found: dict[str, BaseDistribution] = {}
    for knob in knobs:
        found[knob.name] = distribution(knob)
        if knob.other is not None:
            found[switch(knob)] = CategoricalDistribution((False, True))
    return found


def distribution(knob: KnobRecord) -> BaseDistribution:
    """A knob's choices or range, without the value it may have besides."""
    match knob.kind:
        case "choice":
            return CategoricalDistribution(knob.choices)
        case "int":
            return IntDistribution(int(knob.low), int(knob.high), log=knob.log)
        case "float":
            return FloatDistribution(knob.low, knob.high, log=knob.log)


def switch(knob: KnobRecord) -> str:
    return f"{knob.name} = {knob.other}"


def values_of(params: Mapping[str, KnobValue], knobs: Sequence[KnobRecord]) -> KnobValues:
    """The value of every knob by its name, from Optuna's parameters; knobs that have none yet are left out."""
    return {
        knob.name: knob.other if params.get(switch(knob)) else params[knob.name]
        for knob in knobs
        if knob.name in params
    }


def params_of(values: KnobValues, knobs: Sequence[KnobRecord]) -> KnobValues | None:
    """The way back; None where a value lies outside its knob's range."""
    params: KnobValues = {}
    for knob in knobs:
        value = values[knob.name]
        off = knob.other is not None and value == knob.other
        params[knob.name] = knob.low if off else value
        if knob.other is not None:
            params[switch(knob)] = off
        if not (off or _holds(knob, value)):
            return None
    return params


def _holds(knob: KnobRecord, value: KnobValue) -> bool:
    if knob.kind == "choice":
        return value in knob.choices
    return isinstance(value, int | float) and knob.low <= value <= knob.high


def make_sampler(asked: Sampler, knobs: Sequence[KnobRecord], number: int) -> BaseSampler:
    """The sampler for one proposal. Its seed is drawn from the study's and from how many trials there are, so that no
    two processes propose the same, and an interrupted search with one slot goes on as it would have.
    """
    seed = seed_of(asked.seed, "trial", number) % 2**32
    match asked.name:
        case "tpe":
            return optuna.samplers.TPESampler(seed=seed)
        case "gp":
            return optuna.samplers.GPSampler(seed=seed)
        case "random":
            return optuna.samplers.RandomSampler(seed=seed)
        case "cmaes":
            return optuna.samplers.CmaEsSampler(seed=seed, warn_independent_sampling=False)
        case "grid":
            # It numbers the points in an order that depends on the seed: one for all trials.
            return _Grid({knob.name: list(knob.choices) for knob in knobs}, seed=asked.seed)


class _Grid(optuna.samplers.GridSampler):
    """Optuna's, without its stopping of a loop that is not Optuna's: the study file asks for no more than there is."""

    def after_trial(self, *_: object) -> None:
        """Nothing."""


def make_pruner(name: str, epochs: int) -> BasePruner:
    """The pruner for runs of so many epochs. What it costs and saves: docs/decisions/0017-noise-and-pruning.md."""
    match name:
        case "median":
            return optuna.pruners.MedianPruner(n_startup_trials=STARTUP_TRIALS, n_warmup_steps=-(-epochs // 3))
        case "hyperband":
            return optuna.pruners.HyperbandPruner(max(1, epochs // 9), epochs, reduction_factor=3)
        case "halving":
            return optuna.pruners.SuccessiveHalvingPruner(max(1, epochs // 9), reduction_factor=3)
        case "wilcoxon":
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ExperimentalWarning)  # optuna is pinned, and tests hold what it does
                return optuna.pruners.WilcoxonPruner(p_threshold=WILCOXON_P)
        case _:
            return optuna.pruners.NopPruner()
