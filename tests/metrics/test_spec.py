"""The list of metrics, and what is measured of them elsewhere."""

import pytest

from reid.metrics.spec import METRICS, Unit, spec_of, unit_of


@pytest.mark.parametrize("metric", ["mAP", "mAP@day", "mAP@day_two", "mAP_cross", "mAP_before_euclidean"])
def test_a_metric_measured_elsewhere_is_the_same_metric(metric: str) -> None:
    assert spec_of(metric) is METRICS["mAP"]


@pytest.mark.parametrize("metric", ["mAP_hard", "rank1_time", "seconds_before", "conflict_share", "@day"])
def test_a_name_that_only_begins_like_one_is_not(metric: str) -> None:
    assert spec_of(metric) is None
    assert unit_of(metric) == Unit.NUMBER
