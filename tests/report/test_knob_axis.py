"""Knobs as axes: numbers, logarithms, off, words and choices."""

from typing import Any

import pytest

from reid.report.study.knob_axis import OFF_PLACE, WORD_PLACE, KnobAxis
from reid.store.study import KnobRecord
from tests.helpers.studies_on_disk import CHOICE, KNOBS


def axis(described: dict[str, Any]) -> KnobAxis:
    return KnobAxis(KnobRecord.model_validate(described))


EPSILON, MARGIN, CENTER = (axis(described) for described in KNOBS)
SOFT = axis(KNOBS[1] | {"or": "soft"})
NECK = axis(CHOICE)


def test_numbers_lie_on_a_scale_from_their_low_end_to_their_high_one() -> None:
    assert [MARGIN.place(value) for value in (0, 0.25, 1)] == [0, 0.25, 1]
    assert [CENTER.place(value) for value in (1e-5, 1e-3, 1e-2)] == pytest.approx([0, 2 / 3, 1])


def test_zero_is_off_where_the_knob_says_so_and_a_number_elsewhere() -> None:
    assert (CENTER.place(0.0), CENTER.words(0.0)) == (OFF_PLACE, "off")
    assert (MARGIN.place(0.0), MARGIN.words(0.0)) == (0.0, "0")


def test_a_word_has_a_place_of_its_own() -> None:
    assert (SOFT.place("soft"), SOFT.words("soft"), SOFT.span) == (WORD_PLACE, "soft", "0 to 1 or soft")


def test_choices_are_spread_evenly() -> None:
    assert [NECK.place(choice) for choice in ("none", "bnneck")] == [0, 1]
    assert NECK.span == "none, bnneck"


def test_words_of_values_and_ranges() -> None:
    assert CENTER.words(4.69e-5) == "4.69e−5"
    assert MARGIN.words(None) == "–"
    assert CENTER.span == "1e−5 to 0.01 (log) or off"
    assert EPSILON.span == "0 to 0.3"


def test_ticks_name_the_scale_and_what_is_beside_it() -> None:
    assert CENTER.ticks([0.0, 1e-3]) == [
        (OFF_PLACE, "off"),
        (1.0, "0.01"),
        (pytest.approx(1 / 3), "0.0001"),
    ]
    assert [words for _, words in SOFT.ticks([0.2, "soft"])] == ["soft", "0", "0.5", "1"]
