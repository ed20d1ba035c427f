"""Bad input at the command line: exit code 2, one line on standard error, no traceback, nothing half-written."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from reid.cli.app import main
from reid.data import DecodedDataset, load_dataset
from reid.evaluation import evaluate
from reid.models import build_model
from reid.recipe import Recipe
from reid.recipe.yaml import load
from tests.helpers.grids import TOY
from tests.helpers.tiny_datasets import under_one_camera

STRONG_BASELINE = Path(__file__).parents[2] / "experiments" / "recipes" / "strong-baseline.yaml"


@pytest.fixture
def grid(tmp_path: Path, tiny_root: Path) -> Path:
    file = tmp_path / "tiny.yaml"
    file.write_text(TOY.format(epochs=2, root=tiny_root))
    return file


def refused(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: object) -> str:
    """Run the command, expect code 2, and return its one line of error."""
    monkeypatch.setattr("sys.argv", ["reid", *map(str, words)])
    with pytest.raises(SystemExit) as exit_:
        main()
    assert exit_.value.code == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error.startswith("error: ")
    assert "Traceback" not in error
    return error


class TestAblate:
    @pytest.fixture(autouse=True)
    def _setup(
        self, grid: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.grid, self.tmp, self.capsys, self.monkeypatch = grid, tmp_path, capsys, monkeypatch

    def refused(self, *words: object) -> str:
        output = self.tmp / "output"
        error = refused(self.capsys, self.monkeypatch, "ablate", self.grid, "--output", output, *words)
        assert not list(output.glob("grids/*")), "no plan was written"
        assert not list(output.glob("runs/*")), "no run was entered"
        return error

    def test_missing_data_set_folder(self) -> None:
        self.grid.write_text(TOY.format(epochs=2, root=self.tmp / "nowhere"))
        assert "nowhere: no such data set folder" in self.refused()

    def test_no_parsable_name(self) -> None:
        for folder in ("bounding_box_train", "query", "bounding_box_test"):
            (self.tmp / "d" / folder).mkdir(parents=True)
            (self.tmp / "d" / folder / "me.jpg").touch()
        self.grid.write_text(TOY.format(epochs=2, root=self.tmp / "d"))
        assert "image names must look like 0002_c1s1_000451_03.jpg; found 1 images, the first me.jpg" in self.refused()

    def test_truncated_image(self, tiny_root: Path) -> None:
        root = Path(shutil.copytree(tiny_root, self.tmp / "copy"))
        victim = sorted((root / "query").iterdir())[0]
        victim.write_bytes(victim.read_bytes()[:200])
        self.grid.write_text(TOY.format(epochs=2, root=root))
        error = self.refused()
        assert victim.name in error
        assert "--skip-unreadable" in error

    def test_no_query_with_a_match(self, tiny_root: Path) -> None:
        root = under_one_camera(tiny_root, self.tmp / "one")
        self.grid.write_text(TOY.format(epochs=2, root=root))
        assert "queries has a match, a gallery image of its identity under another camera" in self.refused()
        assert not (self.tmp / "output" / "cache").exists(), "nothing was decoded"

    def test_no_query_with_a_match_once_unreadable_images_are_left_out(self, tiny_root: Path) -> None:
        root = Path(shutil.copytree(tiny_root, self.tmp / "copy"))
        for file in (root / "bounding_box_test").iterdir():
            file.write_bytes(b"")
        self.grid.write_text(TOY.format(epochs=2, root=root))
        assert "the gallery split holds no image" in self.refused("--skip-unreadable")

    def test_fewer_identities_than_a_batch_needs(self) -> None:
        assert "a batch needs 13 identities, tiny has 12" in self.refused("--set", "batch.identities=13")

    def test_unknown_field(self) -> None:
        assert "unknown recipe field; did you mean 'batch.images'?" in self.refused("--set", "batch.image=3")

    def test_out_of_range(self) -> None:
        assert "--set id_loss.epsilon: Input should be less than or equal to 1, found 2" in self.refused(
            "--set", "id_loss.epsilon=2"
        )

    def test_pretrained_weights_absent(self) -> None:
        error = self.refused("--set", "backbone.name=resnet18", "--set", "backbone.pretrained=/nowhere.pth")
        assert "no such file /nowhere.pth" in error

    def test_unwritable_output(self) -> None:
        (self.tmp / "output").write_text("a file")
        assert "the output folder must be writable" in self.refused()

    def test_cuda_where_there_is_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("torch.cuda.is_available", lambda: False)
        error = refused(self.capsys, monkeypatch, "ablate", self.grid, "--output", self.tmp / "o", "--device", "cuda")
        assert "no CUDA device is available" in error


def test_unknown_grid(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    error = refused(capsys, monkeypatch, "status", "nope", "--output", tmp_path)
    assert "no grid 'nope'" in error
    assert "none yet (reid ablate makes one)" in error


def test_report_of_an_unknown_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    error = refused(capsys, monkeypatch, "report", "nope", "--output", tmp_path)
    assert f"'nope': must be a grid or a study in {tmp_path}, found grids: none; studies: none" in error


def test_unknown_run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    error = refused(capsys, monkeypatch, "evaluate", "abc", "--on", tmp_path, "--output", tmp_path)
    assert "must begin exactly one signature" in error


class TestEvaluateCheckpoint:
    SET = (
        "--set", "image.size=[32,16]", "--set", "backbone.name=resnet10_narrow", "--set", "backbone.stem_relu=true",
    )  # fmt: skip

    def test_numbers_are_those_of_the_weights(
        self,
        tiny_root: Path,
        tiny: DecodedDataset,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        words = [
            "--recipe",
            STRONG_BASELINE,
            *self.SET,
            "--on",
            tiny_root,
            "--output",
            tmp_path / "o",
            "--device",
            "cpu",
        ]
        recipe = load(STRONG_BASELINE, Recipe).set(
            {"image.size": (32, 16), "backbone.name": "resnet10_narrow", "backbone.stem_relu": True}
        )
        model = build_model(recipe, 751, seed=5)
        torch.save(model.state_dict(), tmp_path / "w.pth")
        monkeypatch.setattr("sys.argv", ["reid", "evaluate", "--checkpoint", *map(str, [tmp_path / "w.pth", *words])])
        with pytest.raises(SystemExit, match="0"):
            main()
        result = json.loads(capsys.readouterr().out)
        ranking = evaluate(model, tiny, recipe, torch.device("cpu"))
        assert result["mAP"] == pytest.approx(ranking.mAP)
        assert result["feature"] == "after"
        assert result["left_out"] == ["classifier.weight"]
        assert result["loaded"] == len(model.state_dict()) - 1

    @pytest.mark.parametrize("cameras", ["labelled", "none"])
    def test_query_and_gallery_are_enough(
        self,
        cameras: str,
        tiny_root: Path,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        whole = tiny_root if cameras == "labelled" else under_one_camera(tiny_root, tmp_path / "one")
        lines = ["path,identity,split" if cameras == "none" else "path,identity,camera,split"]
        data = load_dataset("market1501", whole)
        for name in ("query", "gallery"):
            split = data.splits[name]
            for path, identity, camera in zip(split.paths, split.identities, split.cameras, strict=True):
                known = "" if cameras == "none" else f"{camera},"
                lines.append(f"{path.relative_to(whole)},{identity},{known}{name}")
        root = Path(shutil.copytree(whole, tmp_path / "test"))
        shutil.rmtree(root / "bounding_box_train")
        (root / "mine.csv").write_text("\n".join(lines) + "\n")
        recipe = Recipe().set({"image.size": (32, 16), "backbone.name": "resnet10_narrow", "backbone.stem_relu": True})
        torch.save(build_model(recipe, 5, seed=5).state_dict(), tmp_path / "w.pth")
        found = []
        for layout, place in (("market1501", whole), ("market1501", root), ("csv", root)):
            words = ["--on", place, "--layout", layout, "--cameras", cameras, "--output", tmp_path / layout]
            words = ["evaluate", "--checkpoint", tmp_path / "w.pth", *self.SET, "--device", "cpu", *words]
            monkeypatch.setattr("sys.argv", ["reid", *map(str, words)])
            with pytest.raises(SystemExit, match="0"):
                main()
            result = json.loads(capsys.readouterr().out)
            found.append((result["mAP"], result["rank1"], result["queries"]))
            assert any(note.startswith("cameras: none: ") for note in result["notes"]) == (cameras == "none")
        assert found[0] == found[1] == found[2]
        assert not list(tmp_path.rglob("train.npy")), "what is not tested on is not decoded"

    def test_no_query_with_a_match(
        self, tiny_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        recipe = Recipe().set({"image.size": (32, 16), "backbone.name": "resnet10_narrow", "backbone.stem_relu": True})
        torch.save(build_model(recipe, 5, seed=5).state_dict(), tmp_path / "w.pth")
        root = under_one_camera(tiny_root, tmp_path / "one")
        words = ("--checkpoint", tmp_path / "w.pth", *self.SET, "--on", root, "--output", tmp_path / "o")
        error = refused(capsys, monkeypatch, "evaluate", *words)
        assert "queries has a match, a gallery image of its identity under another camera; check both, or say" in error

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            ((), "either RUN, the signature of a run, or --checkpoint FILE"),
            (("abc", "--checkpoint", "w.pth"), "either RUN"),
            (("abc", "--set", "pooling.kind=max"), "a run has its own recipe"),
            (("--checkpoint", "absent.pth", *SET), "--checkpoint: no such file absent.pth"),
            (("--checkpoint", "w.pth", "--set", "pooling.kind=median"), "--set pooling.kind: Input should be"),
        ],
    )
    def test_what_is_refused(
        self,
        words: tuple[str, ...],
        message: str,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        error = refused(capsys, monkeypatch, "evaluate", *words, "--on", tmp_path, "--output", tmp_path)
        assert message in error


@pytest.mark.parametrize(("option", "value"), [("--cameras", 1), ("--train-identities", 100000), ("--images", 0)])
def test_impossible_synthetic_data(
    option: str, value: int, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"--train-identities": 4, "--test-identities": 4, option: value}
    words = [word for pair in options.items() for word in pair]
    error = refused(capsys, monkeypatch, "data", "synthesize", tmp_path / "out", *words)
    assert option in error
    assert f"found {value}" in error
    assert not (tmp_path / "out").exists()
