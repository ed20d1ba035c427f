"""`reid tune` by the real command line, on a toy that trains in seconds."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from mlflow import MlflowClient

from reid.cli.app import main
from reid.data import DatasetSource
from reid.data.synthetic import SyntheticSpec
from reid.store.run_folder import RunFolder
from reid.tracking import sync
from reid.tracking.mlflow_store import embedded_uri
from tests.helpers.records import raw
from tests.studies.synthetic import write_study

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning"),
]
SPLIT = ", split: {validation_identities: 0.34}"
MORE = "seeds: [0]\nfresh_seeds: 2\nobjectives: [mAP]"


def start_tune(file: Path, output: Path, *words: str) -> "subprocess.Popen[str]":
    command = [
        sys.executable,
        "-m",
        "reid",
        "tune",
        str(file),
        "--output",
        str(output),
        "--device",
        "cpu",
        "--slots",
        "2",
    ]
    return subprocess.Popen(
        [*command, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"},
    )


def tune(file: Path, output: Path, *words: str) -> tuple[int, str]:
    """Run it to its end; returns its exit code and what it printed."""
    process = start_tune(file, output, *words)
    text, _ = process.communicate(timeout=600)
    return process.returncode, text


def read(output: Path, name: str) -> Any:
    return json.loads((output / "studies" / "toy" / f"{name}.json").read_text())


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A drawn data set, of more identities than the others: a few of them are enough to learn something about."""
    root = tmp_path_factory.mktemp("data") / "drawn"
    asked = {"train_identities": 24, "test_identities": 8, "cameras": 3, "images": 6, "seed": 3}
    DatasetSource(name="drawn", root=root, synthesize=SyntheticSpec.model_validate(asked)).open()
    return root


@pytest.fixture(scope="module")
def study(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str]:
    """A study that was run to its end: its file, the output folder, and what was printed."""
    folder = tmp_path_factory.mktemp("tune")
    file = write_study(folder, f"{drawn}{SPLIT}", 4, MORE)
    code, text = tune(file, folder / "output")
    assert code == 0, text
    return file, folder / "output", text


def test_a_study_ends_with_an_answer(study: tuple[Path, Path, str]) -> None:
    file, output, text = study
    assert "Traceback" not in text
    assert re.search(r"^\[4/4\] trial \d  complete  mAP \d", text, re.MULTILINE)
    assert "study toy: 4 complete" in text
    trials, found = read(output, "trials"), read(output, "comparison")
    assert [trial["number"] for trial in trials] == [0, 1, 2, 3]
    best = max(trials, key=lambda trial: trial["values"][0])
    assert found["winner"]["trial"] == best["number"]
    assert found["winner"]["params"] == best["params"]
    assert found["defaults"]["params"] == {"label_smoothing.epsilon": 0.1, "center_loss.weight": 5e-4}
    assert found["seeds"] == [1, 2]
    assert found["difference"] == pytest.approx(
        sum(found["winner"]["values"]) / 2 - sum(found["defaults"]["values"]) / 2
    )
    assert found["optimism"] == pytest.approx(found["validation_best"] - sum(found["rerun"]["values"]) / 2)
    for side, split in (("winner", None), ("defaults", None), ("rerun", {"validation_identities": 0.34})):
        for run in found[side]["runs"]:
            asked = raw(RunFolder(output / "runs" / run["signature"]), "run")
            assert (asked["seed"], asked["dataset"]["split"]) == (run["seed"], split)
    for trial in trials:
        asked = raw(RunFolder(output / "runs" / trial["runs"][0]["signature"]), "run")
        assert asked["dataset"]["split"] == {"validation_identities": 0.34}
    assert {path.name for path in (output / "studies" / "toy" / "figures").iterdir()} == {
        "history-mAP.png", "slices-mAP.png", "parallel-mAP.png", "intermediate.png"
    }  # fmt: skip
    assert read(output, "importances")["refused"].startswith("4 complete trials are too few")
    assert read(output, "study")["yaml"] == file.read_text()


def test_the_same_command_again_does_nothing_anew(study: tuple[Path, Path, str]) -> None:
    file, output, _ = study
    before = {path: path.stat().st_mtime_ns for path in (output / "runs").glob("*/result.json")}
    code, text = tune(file, output)
    assert code == 0, text
    assert {path: path.stat().st_mtime_ns for path in (output / "runs").glob("*/result.json")} == before


def test_more_fresh_seeds_are_another_look(study: tuple[Path, Path, str], tmp_path: Path) -> None:
    file, output, _ = study
    shutil.copytree(output, tmp_path / "output")
    more = tmp_path / "more.yaml"
    more.write_text(file.read_text().replace("fresh_seeds: 2", "fresh_seeds: 3"))
    code, text = tune(more, tmp_path / "output")
    assert code == 0, text
    first, second = read(output, "comparison"), read(tmp_path / "output", "comparison")
    assert [(one["looks"], len(one["seeds"])) for one in (first, second)] == [(1, 2), (2, 3)]
    assert second["winner"]["values"][:2] == first["winner"]["values"]


def test_status_shows_the_trials(
    study: tuple[Path, Path, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, output, _ = study
    for name, code in (("toy", 0), ("tyo", 2)):
        monkeypatch.setattr(sys, "argv", ["reid", "tune", "--output", str(output), "--status", name])
        with pytest.raises(SystemExit) as caught:
            main()
        assert caught.value.code == code
        told = capsys.readouterr()
        if code:
            assert (told.out, told.err) == ("", f"error: no study 'tyo' in {output}; there are: toy\n")
        else:
            assert "4 complete of 4" in told.out
            assert "best" in told.out


def test_mlflow_has_the_study_its_trials_and_their_seeds(study: tuple[Path, Path, str], tmp_path: Path) -> None:
    _, output, _ = study
    before = mlflow_tree(output)
    copy = tmp_path / "output"
    shutil.copytree(output, copy, ignore=shutil.ignore_patterns("mlflow.db", "mlartifacts", "study.db*"))
    assert sync(copy, None).runs == len(list((output / "runs").iterdir()))
    assert mlflow_tree(copy) == before
    trials = [name for name in before if name.startswith("toy/trial")]
    assert len(trials) == 8
    assert before["toy"][:2] == ("study", "FINISHED")
    assert sum(tags for kind, _, tags in before.values() if kind == "trial") == 1, "one is the best"


def mlflow_tree(output: Path) -> dict[str, tuple[str, str, bool]]:
    """Kind, status and whether it is the best of every run, by the names from the study down to it."""
    client = MlflowClient(embedded_uri(output))
    experiment = client.get_experiment_by_name("study toy")
    assert experiment is not None
    runs = {run.info.run_id: run for run in client.search_runs([experiment.experiment_id])}

    def path(run: Any) -> str:
        parent = run.data.tags.get("mlflow.parentRunId")
        return (f"{path(runs[parent])}/" if parent else "") + str(run.info.run_name)

    (study,) = [run for run in runs.values() if run.data.tags["reid.kind"] == "study"]
    files = {file.path for file in client.list_artifacts(study.info.run_id)}
    assert {"study.json", "trials.json", "comparison.json", "importances.json", "figures"} <= files
    return {
        path(run): (run.data.tags["reid.kind"], run.info.status, run.data.tags.get("reid.best") == "true")
        for run in runs.values()
    }


def test_the_search_does_not_open_a_test_image(drawn: Path, tmp_path: Path) -> None:
    """With every test image spoilt the search ends all the same, and the comparison names one of them."""
    root = tmp_path / "data"
    shutil.copytree(drawn, root)
    for folder in ("query", "bounding_box_test"):
        for image in (root / folder).iterdir():
            image.write_bytes(b"not an image")
    code, text = tune(write_study(tmp_path, f"{root}{SPLIT}", 2, MORE), tmp_path / "output")
    assert code == 2, text
    assert [trial["state"] for trial in read(tmp_path / "output", "trials")] == ["complete"] * 2
    assert re.search(rf"^error: {re.escape(str(root))}/(query|bounding_box_test)/", text, re.MULTILINE)
    assert not (tmp_path / "output" / "studies" / "toy" / "comparison.json").exists()


BAD = {
    "knobs: {label_smoothing.epsilom: }": "knobs.label_smoothing.epsilom: no such knob; did you mean",
    "knobs: {pooling.p: {low: 2, high: 2}}": "knobs.pooling.p: an empty range",
    "knobs: {pooling.p: {low: 0, high: 2, log: true}}": "knobs.pooling.p: a log range through zero",
    "storage: postgresql://me@127.0.0.1:1/none": "storage postgresql+psycopg://me@127.0.0.1:1/none: cannot be used (",
}


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """The one line on standard error of a `reid tune` that is refused."""

    def call(file: Path, output: Path) -> str:
        words = ["tune", str(file), "--output", str(output), "--device", "cpu"]
        monkeypatch.setattr(sys, "argv", ["reid", *words])
        with pytest.raises(SystemExit) as caught:
            main()
        assert caught.value.code == 2
        (line,) = capsys.readouterr().err.splitlines()
        return line

    return call


@pytest.mark.parametrize(("more", "words"), BAD.items())
def test_bad_input_is_one_line(
    more: str, words: str, tiny_root: Path, tmp_path: Path, refused: Callable[..., str]
) -> None:
    line = refused(write_study(tmp_path, tiny_root, 2, more), tmp_path / "output")
    assert line.startswith("error: ")
    assert words in line
    assert not list(tmp_path.glob("output/studies/*"))


def test_a_changed_search_space_is_one_line(
    study: tuple[Path, Path, str], drawn: Path, tmp_path: Path, refused: Callable[..., str]
) -> None:
    _, output, _ = study
    before = (output / "studies" / "toy" / "study.json").read_bytes()
    more = f"{MORE}\nknobs: {{label_smoothing.epsilon: {{low: 0, high: 0.4}}, center_loss.weight: }}"
    line = refused(write_study(tmp_path, f"{drawn}{SPLIT}", 9, more), output)
    assert "the study was searched with 0 to 0.3, found 0 to 0.4; trials of two searches do not mix" in line
    assert (output / "studies" / "toy" / "study.json").read_bytes() == before


def test_optuna_dashboard_serves_the_storage(study: tuple[Path, Path, str]) -> None:
    _, output, _ = study
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = read(output, "study")["storage"]
    program = Path(sys.executable).with_name("optuna-dashboard")
    server = subprocess.Popen(
        [program, url, "--host", "127.0.0.1", "--port", str(port)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        studies = wait_for_json(server, f"http://127.0.0.1:{port}/api/studies")
        assert [study["study_name"] for study in studies["study_summaries"]] == ["toy"]
    finally:
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=60)


def wait_for_json(server: "subprocess.Popen[bytes]", address: str, seconds: float = 120) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert server.poll() is None, "the server ended"
        try:
            with urlopen(address, timeout=10) as answer:
                return json.load(answer)
        except (URLError, OSError):
            time.sleep(0.2)
    raise AssertionError("waited in vain")
