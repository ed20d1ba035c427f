import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from reid.data.augmentation import augment, draw, erase, erasing_rectangles, flip_and_crop
from reid.recipe import Erasing, Recipe
from reid.streams import numpy_generator
from reid.tricks import TRICKS


@given(st.integers(0, 6), st.integers(0, 6), st.booleans())
def test_crop_of_a_padded_image_by_hand(top: int, left: int, flip: bool) -> None:
    image = np.arange(5 * 4 * 3, dtype=np.uint8).reshape(5, 4, 3) + 1
    padded = np.zeros((11, 10, 3), np.uint8)
    padded[3:8, 3:7] = image[:, ::-1] if flip else image
    ours = flip_and_crop(torch.from_numpy(image)[None], torch.tensor([flip]), torch.tensor([[top, left]]), pad=3)
    np.testing.assert_array_equal(ours[0], padded[top : top + 5, left : left + 4])


def test_every_arm_sees_the_same_flips_and_crops() -> None:
    plain, tricked = Recipe(), TRICKS["random_erasing"].apply(Recipe())
    ours, theirs = draw(plain, 50, seed=1, epoch=2), draw(tricked, 50, seed=1, epoch=2)
    assert torch.equal(ours.flip, theirs.flip)
    assert torch.equal(ours.crop, theirs.crop)
    assert (ours.erase == 0).all()
    assert (theirs.erase[:, 2] > 0).any()
    assert not torch.equal(ours.crop, draw(plain, 50, seed=1, epoch=3).crop)
    assert not torch.equal(ours.crop, draw(plain, 50, seed=2, epoch=2).crop)


def test_crops_reach_every_corner_and_flips_half() -> None:
    draws = draw(Recipe(), 4000, seed=0, epoch=1)
    assert (int(draws.crop.min()), int(draws.crop.max())) == (0, 20)
    assert draws.flip.float().mean().item() == pytest.approx(0.5, abs=0.03)


@given(st.floats(0.0, 1.0), st.integers(16, 64), st.integers(16, 64), st.integers(0, 50))
def test_rectangles_lie_inside(probability: float, height: int, width: int, seed: int) -> None:
    rectangles = erasing_rectangles(
        Erasing(probability=probability), (height, width), 20, numpy_generator(seed, "erasing")
    )
    top, left, h, w = rectangles.T
    assert ((h < height) & (w < width)).all()
    assert ((top >= 0) & (left >= 0) & (top + h <= height) & (left + w <= width)).all()


def test_erase_fills_the_rectangle_and_nothing_else() -> None:
    images = torch.zeros(2, 3, 6, 5)
    erased = erase(images, torch.tensor([[1, 2, 3, 2], [0, 0, 0, 0]]), (1.0, 2.0, 3.0))
    expected = torch.zeros(2, 3, 6, 5)
    expected[0, :, 1:4, 2:4] = torch.tensor([1.0, 2.0, 3.0])[:, None, None]
    assert torch.equal(erased, expected)


def test_augmented_batch_is_what_the_network_takes() -> None:
    recipe = TRICKS["random_erasing"].apply(Recipe().set({"image.size": (32, 16)}))
    images = torch.zeros(8, 32, 16, 3, dtype=torch.uint8)
    batch = augment(images, draw(recipe, 8, 0, 1), recipe)
    assert batch.shape == (8, 3, 32, 16)
    assert batch.dtype == torch.float32
    assert batch.is_contiguous(memory_format=torch.channels_last)
