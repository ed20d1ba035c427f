"""Figures: vectors and words only, the same bytes each time, and what they mark."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from reid.analysis.interactions import interactions
from reid.report import style as figures
from tests.helpers.grids_on_disk import FACTORS, make_table

NAMES = {name: name.upper() for name in FACTORS}


def test_a_figure_is_vectors_and_words_and_the_same_bytes_each_time(tmp_path: Path) -> None:
    found = interactions(make_table(seeds=2, effects={"ab": 0.05}), FACTORS, "mAP")
    for name in ("one.svg", "two.svg"):
        figures.save(tmp_path / name, 2.0, figures.interaction_map(found, NAMES, NAMES))
    text = (tmp_path / "one.svg").read_text()
    assert text == (tmp_path / "two.svg").read_text()
    assert "<image" not in text
    assert "+2." in text  # half of the five points planted


def test_the_interaction_map_boxes_what_holds_after_holm() -> None:
    found = interactions(make_table(seeds=2, effects={"ab": 0.05, "ce": -0.05}), FACTORS, "mAP")
    figure = Figure()
    figures.interaction_map(found, NAMES, NAMES)(figure)
    boxes = {patch.get_xy() for patch in figure.axes[0].patches if isinstance(patch, Rectangle)}
    assert boxes == {(0.03, 0.03), (2.03, 3.03)}  # column a, row b; column c, row e


def test_the_cost_line_joins_the_arms_that_no_other_beats_on_both() -> None:
    arms = pd.DataFrame({"train_seconds": [3.0, 1, 2, 4, np.nan, 2], "mAP": [0.6, 0.3, 0.5, 0.55, 0.9, 0.4]})
    figure = Figure()
    figures.cost(arms, {})(figure)
    assert np.array(figure.axes[0].lines[0].get_xydata()).tolist() == [[1, 30], [2, 50], [3, 60]]
