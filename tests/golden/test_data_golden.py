"""Resizing, cropping, flipping, normalising and erasing against the reference."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as Pillow
from scipy import stats

from reid.data.augmentation import erase, erasing_rectangles, flip_and_crop, normalize
from reid.data.decode import decode
from reid.recipe import Erasing, Image
from reid.seeding import numpy_generator
from tests.golden.conftest import Golden, close

pytestmark = pytest.mark.golden
Read = Callable[[str], Golden]


@pytest.mark.parametrize("case", range(3))
def test_transforms(golden: Read, tmp_path: Path, case: int) -> None:
    g = golden("transforms_pil")
    Pillow.fromarray(g[f"c{case}_image_u8"]).save(tmp_path / "image.png")
    height, width = (int(side) for side in g[f"c{case}_size_hw"])
    resized = decode(tmp_path / "image.png", (height, width))
    np.testing.assert_array_equal(resized, g[f"c{case}_resized_u8"])
    if f"c{case}_test_tensor_f32" not in g:
        return
    batch = torch.from_numpy(resized.copy())[None]
    close(normalize(batch, Image())[0], g[f"c{case}_test_tensor_f32"], rtol=1e-5, atol=1e-6)
    corner = torch.from_numpy(g[f"c{case}_crop_top_left"])[None]
    cropped = flip_and_crop(batch, torch.tensor([False]), corner, pad=10)
    np.testing.assert_array_equal(cropped[0], g[f"c{case}_pad10_cropped_u8"])
    flipped = flip_and_crop(batch, torch.tensor([True]), torch.tensor([[10, 10]]), pad=10)
    np.testing.assert_array_equal(flipped[0], g[f"c{case}_hflip_u8"])


def test_erasing_distribution(golden: Read) -> None:
    """Share erased, places and sizes are those of the reference (Kolmogorov-Smirnov, fixed stream)."""
    g = golden("random_erasing")
    height, width = (int(side) for side in g["image_h_w"])
    theirs = g["rect_top_left_h_w"]
    theirs = theirs[theirs[:, 0] >= 0]
    ours = erasing_rectangles(Erasing(probability=0.5), (height, width), 4000, numpy_generator(0, "erasing", 1))
    erased = ours[ours[:, 2] > 0]
    assert abs(len(erased) / 4000 - 0.5) < 0.03
    assert abs(len(theirs) / 400 - len(erased) / 4000) < 0.1
    for column, side in ((2, height), (3, width)):
        assert stats.ks_2samp(ours_column := erased[:, column], theirs[:, column]).pvalue > 0.01
        assert ours_column.max() < side
    room = np.array([height, width]) - erased[:, 2:]
    place = erased[:, :2] / np.maximum(room, 1)
    their_place = theirs[:, :2] / np.maximum(np.array([height, width]) - theirs[:, 2:], 1)
    for axis in range(2):
        assert stats.ks_2samp(place[:, axis], their_place[:, axis]).pvalue > 0.01
    area, their_area = erased[:, 2] * erased[:, 3], theirs[:, 2] * theirs[:, 3]
    assert stats.ks_2samp(area, their_area).pvalue > 0.01


def test_erasing_example(golden: Read) -> None:
    g = golden("random_erasing")
    before, after = g["example_in"], g["example_out"]
    rows, columns = np.nonzero((before != after).any(0))
    top, left = rows.min(), columns.min()
    rectangle = torch.tensor([[top, left, rows.max() - top + 1, columns.max() - left + 1]])
    mean = tuple(float(value) for value in g["mean"])
    ours = erase(torch.from_numpy(before)[None], rectangle, (mean[0], mean[1], mean[2]))
    np.testing.assert_array_equal(ours[0], after)
