"""The average behind the maps: by hand, and blank where nothing was tried."""

from typing import Any

import numpy as np
import pytest

from reid.report.study import landscape
from reid.report.study.knob_axis import OFF_PLACE, KnobAxis
from reid.statistics.least_squares import Array
from reid.store.study import KnobRecord, KnobValue
from tests.helpers.studies_on_disk import CHOICE, KNOBS


def axis(described: dict[str, Any]) -> KnobAxis:
    return KnobAxis(KnobRecord.model_validate(described))


MARGIN, CENTER, NECK = axis(KNOBS[1]), axis(KNOBS[2]), axis(CHOICE)


def nearness(one: KnobAxis, values: list[KnobValue]) -> tuple[Array, Array]:
    """Centres of the cells of a knob's axis, and the weights of the values in them."""
    edges = landscape.edges(one, values)
    places = np.array([one.place(value) for value in values])
    return (edges[1:] + edges[:-1]) / 2, landscape.nearness(one, places, edges)


def test_weights_fall_with_the_distance() -> None:
    centres, weights = nearness(MARGIN, [0.5])
    assert weights[:, 0] == pytest.approx(np.exp(-0.5 * ((centres - 0.5) / landscape.WIDTH) ** 2))


def test_off_is_averaged_by_itself() -> None:
    centres, weights = nearness(CENTER, [0.0, 1e-5])
    off = np.isclose(centres, OFF_PLACE)
    assert np.count_nonzero(off) == 1
    assert weights[off].tolist() == [[1, 0]]
    assert (weights[centres > 0, 0] == 0).all()
    assert not weights[(centres < 0) & ~off].any()  # the gap between off and the scale


def test_choices_are_averaged_by_themselves() -> None:
    _, weights = nearness(NECK, ["none", "bnneck", "none"])
    assert weights.tolist() == [[1, 0, 1], [0, 1, 0]]


def test_the_average_is_weighted_and_blank_where_there_is_too_little() -> None:
    first, second = np.array([[1.0, 0.5], [0.2, 0.0]]), np.array([[1.0, 1.0], [0.0, 1.0]])
    found = landscape.smooth(first, second, np.array([1.0, 4.0]))
    assert found[0, 0] == pytest.approx((1 * 1 + 0.5 * 4) / 1.5)
    assert np.isnan(found[[0, 1, 1], [1, 0, 1]]).all()
