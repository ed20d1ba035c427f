"""`reid data list | check | cache` at the command line."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from reid.cli.app import app
from reid.data import load_dataset, open_dataset
from reid.data.layouts import LAYOUTS
from reid.data.synthetic import SyntheticSpec
from reid.errors import InputError
from tests.cli.test_app import refused
from tests.helpers.tiny_datasets import MARKET, folders, image, viper


def shown(*words: object, refused_with: str = "") -> str:
    result = CliRunner().invoke(app, ["data", *map(str, words)], env={"COLUMNS": "200"})
    if refused_with:
        assert isinstance(result.exception, InputError)
        assert refused_with in str(result.exception)
    else:
        assert result.exit_code == 0, result.output
    return result.output


def test_list_has_every_data_set_with_counts_and_source() -> None:
    text = shown("list")
    assert all(layout.title in text for layout in LAYOUTS.values())
    (line,) = (line for line in text.splitlines() if "Occluded-Duke" in line)
    assert line.split("  ")[0].strip() == "occluded_duke"
    for part in ("702 / 15618", "519 / 2210", "1110 / 17661", "Miao et al. 2019"):
        assert part in line
    assert "viper, viper:1 … viper:19" in text


def test_check_compares_and_opens_every_image(tmp_path: Path) -> None:
    folders(tmp_path, MARKET)
    (tmp_path / "query" / MARKET["query"][0]).write_bytes(b"")
    text = shown("check", "market1501", tmp_path, refused_with="1 of 6 images cannot be read; the first is")
    assert [" ".join(line.split()) for line in text.splitlines()[1:4]] == [
        "train 2 of 751 3 of 12936 1 2 6 0",
        "query 1 of 750 1 of 3368 1 1",
        "gallery 2 of 751 2 of 15913 1 2 0",
    ]
    assert "note: train: 3 images found, Market-1501 has 12936" in text
    assert f"note: {tmp_path}/query/{MARKET['query'][0]}: cannot be read as an image" in text


def test_check_shows_a_few_of_many_errors(tmp_path: Path) -> None:
    for file in viper(tmp_path, range(6)).rglob("*.bmp"):
        file.write_bytes(b"")
    text = shown("check", "viper:3", tmp_path, refused_with="12 of 12 images cannot be read")
    assert text.count("cannot be read as an image") == 5
    assert "note: and 7 more images that cannot be read" in text


def test_check_refuses_what_cannot_be_evaluated(tmp_path: Path) -> None:
    for name, identity, split in [("t.jpg", 1, "train"), ("q.jpg", 2, "query"), ("g.jpg", 2, "gallery")]:
        image(tmp_path / name)
        with (tmp_path / "mine.csv").open("a") as file:
            file.write(("" if file.tell() else "path,identity,split\n") + f"{name},{identity},{split}\n")
    text = shown("check", "csv", tmp_path, refused_with="none of the 1 queries has a match")
    assert "note: query: 1 images have no match" in text
    text = shown("check", "csv", tmp_path, "--cameras", "none")
    assert "note: cameras: none: every gallery image of a query's identity counts as a match" in text
    assert all(line.split()[3] == "none" for line in text.splitlines()[1:4])


def test_check_leaves_out_what_it_is_told_to(tmp_path: Path) -> None:
    folders(tmp_path, MARKET)
    (tmp_path / "bounding_box_train" / MARKET["bounding_box_train"][0]).write_bytes(b"")
    shown("check", "market1501", tmp_path, refused_with="1 of 6 images cannot be read")
    assert "cannot be read as an image" in shown("check", "market1501", tmp_path, "--skip-unreadable")
    (tmp_path / "query" / MARKET["query"][0]).write_bytes(b"")
    shown("check", "market1501", tmp_path, "--skip-unreadable", refused_with="the query split holds no image")


def test_two_domains_are_drawn(tmp_path: Path) -> None:
    words = ("--train-identities", 2, "--test-identities", 2, "--cameras", 2, "--images", 4)
    shown("synthesize", tmp_path / "night", *words, "--domain", "night")
    assert SyntheticSpec.model_validate_json((tmp_path / "night" / "synthetic.json").read_text()).domain == "night"
    result = CliRunner().invoke(app, ["data", "synthesize", str(tmp_path / "x"), *map(str, words), "--domain", "dusk"])
    assert result.exit_code == 2
    assert not (tmp_path / "x").exists()


def test_check_of_what_cannot_be_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "no such data set folder" in refused(capsys, monkeypatch, "data", "check", "market1501", tmp_path / "no")
    assert "did you mean 'viper'?" in refused(capsys, monkeypatch, "data", "check", "vipr", tmp_path)


def test_cache_is_shown_and_removed(tiny_root: Path, tmp_path: Path) -> None:
    assert "0 entries, 0.0 MB" in shown("cache", "--output", tmp_path)
    open_dataset(load_dataset("market1501", tiny_root, "tiny"), (64, 32), tmp_path / "cache")
    text = shown("cache", "--output", tmp_path)
    assert text.splitlines()[1].split()[0] == "tiny"
    assert "1 entries, " in text
    assert "1 removed, " in shown("cache", "--prune", "--output", tmp_path)
    assert "0 entries" in shown("cache", "--output", tmp_path)
