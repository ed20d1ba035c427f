import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from reid.data.augmentation import augment, draw, erase, erasing_rectangles, flip_and_crop, normalize, transform_each
from reid.recipe import Erasing, Recipe
from reid.seeding import numpy_generator
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


COLOUR = {"augmentation.auto_augment": 0.5, "color_jitter.probability": 0.5}


def test_colour_draws_leave_all_others_alone() -> None:
    plain, colour = (draw(recipe, 400, seed=1, epoch=2) for recipe in (Recipe(), Recipe().set(COLOUR)))
    for name in ("flip", "crop", "erase"):
        assert torch.equal(getattr(plain, name), getattr(colour, name))
    for name in ("auto_augment", "color_jitter"):
        assert (getattr(plain, name) == -1).all()
        assert (getattr(colour, name) >= 0).float().mean().item() == pytest.approx(0.5, abs=0.1)
    rarely = draw(Recipe().set({"color_jitter.probability": 0.1}), 400, seed=1, epoch=2).color_jitter
    assert torch.equal(rarely[rarely >= 0], colour.color_jitter[rarely >= 0]), "rarer draws are some of the same"


def test_colour_is_a_function_of_the_seed_and_leaves_the_global_generator_alone() -> None:
    recipe = Recipe().set({"image.size": (32, 16), **COLOUR})
    images = torch.randint(0, 256, (16, 32, 16, 3), dtype=torch.uint8)
    before, kept = torch.get_rng_state(), images.clone()
    one = augment(images, draw(recipe, 16, 0, 1), recipe)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(images, kept), "the cached pixels are not written to"
    torch.rand(1)
    assert torch.equal(one, augment(images, draw(recipe, 16, 0, 1), recipe))
    assert not torch.equal(one, augment(images, draw(recipe, 16, 1, 1), recipe))
    assert one.shape == (16, 3, 32, 16)


def test_each_chosen_image_is_transformed_by_its_own_seed() -> None:
    images = torch.zeros(4, 2, 2, 3, dtype=torch.uint8)

    def shade(image: torch.Tensor) -> torch.Tensor:
        assert image.shape == (3, 2, 2)
        return image + torch.randint(1, 200, ())

    done = transform_each(images, torch.tensor([5, -1, 5, 6]), shade)
    assert torch.equal(done[0], done[2])
    assert (done[1] == 0).all()
    assert not torch.equal(done[0], done[3])


def test_erasing_before_normalisation() -> None:
    """As if the fill were written into the raw image; with the default fill the result is 0."""
    fields = {"image.size": (32, 16), "erasing.probability": 1.0, "erasing.when": "before"}
    images = torch.randint(0, 256, (8, 32, 16, 3), dtype=torch.uint8)
    recipe = Recipe().set({**fields, "erasing.fill": (1.0, 0.0, 0.2)})
    draws = draw(recipe, 8, 0, 1)
    raw = flip_and_crop(images, draws.flip, draws.crop, recipe.augmentation.pad)
    red = erase(raw.permute(0, 3, 1, 2), draws.erase, (255.0, 0.0, 51.0)).permute(0, 2, 3, 1)
    torch.testing.assert_close(augment(images, draws, recipe), normalize(red, recipe.image))
    default = augment(images, draws, Recipe().set(fields))
    top, left, h, w = draws.erase[0].tolist()
    assert h > 0
    assert (default[0, :, top : top + h, left : left + w] == 0).all()


def test_parts_of_draws() -> None:
    draws = draw(Recipe().set(COLOUR), 10, 0, 1)
    part = draws.part(3, 7, torch.device("cpu"))
    for name, whole in vars(draws).items():
        assert torch.equal(getattr(part, name), whole[3:7])
