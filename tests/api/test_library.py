"""The library as a program uses it: from a folder to a trained network, and from a grid's folder to effects."""

from pathlib import Path

import pandas as pd
import pytest

import reid
from reid.errors import InputError
from reid.training import Checkpoint, Evaluated
from tests.helpers.grids_on_disk import TRICK_FACTORS, MakeGrid
from tests.helpers.tiny_datasets import under_one_camera


def test_from_a_folder_to_a_trained_network(tiny_root: Path, tiny_recipe: reid.Recipe, tmp_path: Path) -> None:
    data = reid.open_dataset("market1501", tiny_root, tiny_recipe.image.size, cache=tmp_path)
    model = reid.build_model(tiny_recipe, data.dataset.num_classes)
    last = None
    for event in reid.train(tiny_recipe, data, seed=0, device="cpu"):
        if isinstance(event, Checkpoint):
            model.load_state_dict(event.state.model)
        if isinstance(event, Evaluated):
            last = event.ranking
    assert last is not None
    assert reid.evaluate(model, data, tiny_recipe, device="cpu").mAP == last.mAP


def test_images_of_another_size_are_refused(tiny_root: Path, tiny_recipe: reid.Recipe, tmp_path: Path) -> None:
    data = reid.open_dataset("market1501", tiny_root, (48, 16), cache=tmp_path)
    message = "image.size: the recipe has 32x16, the data set is decoded at 48x16"
    with pytest.raises(InputError, match=message):
        next(reid.train(tiny_recipe, data, device="cpu"))
    with pytest.raises(InputError, match=message):
        reid.evaluate(reid.build_model(tiny_recipe, 2), data, tiny_recipe, device="cpu")


def test_data_without_a_match_is_neither_trained_on_nor_evaluated(
    tiny_root: Path, tiny_recipe: reid.Recipe, tmp_path: Path
) -> None:
    root = under_one_camera(tiny_root, tmp_path / "one")
    data = reid.open_dataset("market1501", root, tiny_recipe.image.size, cache=tmp_path)
    model = reid.build_model(tiny_recipe, data.dataset.num_classes)
    with pytest.raises(InputError, match="queries has a match"):
        next(reid.train(tiny_recipe, data, device="cpu"))
    with pytest.raises(InputError, match="queries has a match"):
        reid.evaluate(model, data, tiny_recipe, device="cpu")
    none = reid.open_dataset("market1501", root, tiny_recipe.image.size, cache=tmp_path, cameras="none")
    assert reid.evaluate(model, none, tiny_recipe, device="cpu").mAP > 0


def test_decoded_images_go_to_the_users_cache(tiny_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    reid.open_dataset("market1501", tiny_root, (32, 16))
    assert list((tmp_path / "reid").glob("*-32x16"))


def test_from_a_grid_to_its_effects(make_grid: MakeGrid) -> None:
    folder = make_grid(seeds=(0, 1, 2))
    runs = reid.read_runs(folder)
    names = [factor.name for factor in TRICK_FACTORS]
    found = reid.effects(runs)
    assert list(found.index) == names
    pd.testing.assert_frame_equal(found, reid.effects(runs, names, "mAP"))
    assert len(reid.interactions(runs)) == 15
    rungs = reid.ladder(runs)["mean"]
    assert list(rungs.index) == ["none", *names]
    assert reid.shapley(runs)["value"].sum() == pytest.approx(rungs.iloc[-1] - rungs.iloc[0])
    assert {path.suffix for path in reid.write_report(folder, formats=["csv"])} == {".csv"}


def test_factors_must_be_columns(make_grid: MakeGrid) -> None:
    runs = reid.read_runs(make_grid())
    with pytest.raises(InputError, match="factors: no such column 'bnnek' in the table"):
        reid.effects(runs, ["bnnek"])
    with pytest.raises(InputError, match="does not say which of its columns are factors"):
        reid.effects(pd.DataFrame(runs.to_dict("records")))
