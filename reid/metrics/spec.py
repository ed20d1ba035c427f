"""The one list of metrics: name, title, unit, and which direction is better."""

import re
from dataclasses import dataclass
from enum import StrEnum

from reid.registry import Registry


class Unit(StrEnum):
    """What a metric is measured in. A fraction is 0..1 and shown in percent, its differences in points."""

    FRACTION = "fraction"
    SECONDS = "seconds"
    PER_SECOND = "per second"
    MEGABYTES = "megabytes"  # of 10^6 bytes
    NUMBER = "number"

    @property
    def is_cost(self) -> bool:
        """Whether one decimal is enough."""
        return self in (Unit.SECONDS, Unit.PER_SECOND, Unit.MEGABYTES)

    @property
    def symbol(self) -> str:
        """The unit as numbers are printed; empty where a title says it or there is none."""
        return {Unit.FRACTION: "%", Unit.SECONDS: "s", Unit.MEGABYTES: "MB"}.get(self, "")


@dataclass(frozen=True)
class MetricSpec:
    """A metric of a run. `higher_is_better` is None where neither direction is."""

    name: str
    title: str
    unit: Unit
    higher_is_better: bool | None


ELSEWHERE = re.compile(r"(?P<metric>.+?)(@.+|_cross|_(before|after)_(euclidean|cosine))")
METRICS: Registry[MetricSpec] = Registry("metric")

for _metric in (
    MetricSpec("mAP", "mAP", Unit.FRACTION, True),
    MetricSpec("rank1", "rank-1", Unit.FRACTION, True),
    MetricSpec("rank5", "rank-5", Unit.FRACTION, True),
    MetricSpec("rank10", "rank-10", Unit.FRACTION, True),
    MetricSpec("mINP", "mINP", Unit.FRACTION, True),
    MetricSpec("train_seconds", "training time", Unit.SECONDS, False),
    MetricSpec("evaluation_seconds", "evaluation time", Unit.SECONDS, False),
    MetricSpec("images_per_second", "images per second", Unit.PER_SECOND, True),
    MetricSpec("peak_memory_mb", "peak memory", Unit.MEGABYTES, False),
    MetricSpec("oscillation", "oscillation index", Unit.NUMBER, False),
    MetricSpec("seconds", "training time", Unit.SECONDS, False),
):
    METRICS.register(_metric.name, _metric)


def spec_of(metric: str) -> MetricSpec | None:
    """A metric, or the one that was measured elsewhere: on a data set ("mAP@day"), in a feature space or across domains
    ("mAP_before_cosine", "mAP_cross"). None where it is not registered.
    """
    if metric in METRICS:
        return METRICS[metric]
    elsewhere = ELSEWHERE.fullmatch(metric)
    return METRICS.get(elsewhere["metric"]) if elsewhere else None


def unit_of(metric: str) -> Unit:
    """The unit of a metric; a number where it is not registered."""
    spec = spec_of(metric)
    return spec.unit if spec else Unit.NUMBER


def is_fraction(metric: str) -> bool:
    """Whether a metric is a fraction 0..1."""
    return unit_of(metric) is Unit.FRACTION
