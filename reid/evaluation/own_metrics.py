"""Metrics from outside: functions of a ranking that are measured of every run."""

from collections.abc import Callable

from reid.data import Dataset
from reid.evaluation.ranking import Ranking
from reid.metrics.spec import METRICS, MetricSpec, Unit
from reid.registry import Registry

Measure = Callable[[Ranking, Dataset], float]
OWN_METRICS: Registry[Measure] = Registry("metric")


def register_metric(
    name: str, *, unit: str = "number", higher_is_better: bool, title: str = ""
) -> Callable[[Measure], Measure]:
    """Decorator: a function of the primary set's ranking and the data set becomes a metric of every run.

    `unit` is "fraction" (0..1), "seconds", "per second", "megabytes" or "number". NaN where it cannot be measured.
    Raises InputError where the name is taken, ValueError for another unit.
    """
    spec = MetricSpec(name, title or name, Unit(unit), higher_is_better)

    def register(measure: Measure) -> Measure:
        METRICS.register(name, spec)
        OWN_METRICS.register(name, measure)
        return measure

    return register


def own_scores(ranking: Ranking, dataset: Dataset) -> dict[str, float]:
    """Every metric from outside of a ranking, by name."""
    return {name: float(measure(ranking, dataset)) for name, measure in OWN_METRICS.items()}
