"""A grid with a validation split: its runs see none of the test set, and are not evaluated on one."""

from contextlib import nullcontext
from pathlib import Path

import pytest
import torch

from reid.data import DatasetSource
from reid.errors import InputError
from reid.execution.evaluate_run import TestSet, evaluate_run
from reid.execution.worker import Worker
from reid.grids.launch import Launched, Progress, prepare
from reid.grids.status import GridStatus, RunStatusRow
from reid.store.run_folder import RunFolder
from tests.helpers.grids import TOY
from tests.helpers.records import raw


class Warnings(list[str]):
    """A view that keeps its warnings."""

    def preparing(self, what: str) -> nullcontext[Progress]:  # noqa: ARG002 - the protocol's
        return nullcontext(lambda done, total: None)  # noqa: ARG005 - the protocol's

    def show(self, board: GridStatus, changed: RunStatusRow | None) -> None: ...

    def warn(self, text: str) -> None:
        self.append(text)


def launched(tmp_path: Path, root: Path, split: str, view: Warnings) -> Launched:
    file = tmp_path / "grid.yaml"
    text = TOY.format(epochs=2, root=root)
    assert "root: " in text
    file.write_text(text.replace(f"root: {root}}}", f"root: {root}{split}}}"))
    return prepare(file, tmp_path / "output", {}, False, "reid ablate grid.yaml", view)


def test_a_run_is_validated_on_training_identities(tmp_path: Path, tiny_root: Path) -> None:
    view = Warnings()
    split = {"validation_identities": 0.3}
    plan = launched(tmp_path, tiny_root, ", split: {validation_identities: 0.3}", view)
    assert view == ["evaluated on 4 identities held out of the training part, not on the test set"]
    assert plan.plan.dataset is not None
    assert plan.plan.dataset.split is not None
    assert plan.plan.dataset.split.model_dump() == split
    run = RunFolder(tmp_path / "output" / "runs" / plan.plan.runs[0].signature)
    worker = Worker(tmp_path / "output" / "cache", torch.device("cpu"), skip_unreadable=False)
    worker.execute(run.path, lambda *_: None, lambda: False)
    tuning = DatasetSource.model_validate({"name": "tiny", "root": tiny_root, "split": split}).open()
    assert raw(run, "result")["queries"] == len(tuning.query)
    assert raw(run, "run")["dataset"]["notes"] == view
    with pytest.raises(InputError, match="was trained with a validation split, for tuning; train its recipe without"):
        evaluate_run(run, TestSet(tiny_root, "market1501", tmp_path / "output" / "cache", "cpu"))


def test_runs_with_and_without_a_split_are_other_runs(tmp_path: Path, tiny_root: Path) -> None:
    view = Warnings()
    whole = launched(tmp_path, tiny_root, "", view)
    assert view == []
    assert whole.plan.dataset is not None
    assert whole.plan.dataset.split is None
    tuning = launched(tmp_path, tiny_root, ", split: {validation_identities: 0.3}", view)
    assert not {run.signature for run in whole.plan.runs} & {run.signature for run in tuning.plan.runs}


def test_a_set_for_testing_only_is_not_trained_on(tmp_path: Path, tiny_root: Path) -> None:
    (tmp_path / "occluded").mkdir()
    for mine, theirs in (("query", "query"), ("gallery", "bounding_box_test")):
        (tmp_path / "occluded" / mine).mkdir()
        for file in sorted((tiny_root / theirs).iterdir()):
            identity, camera = file.name.split("_c")
            if identity != "-1":
                (tmp_path / "occluded" / mine / f"{identity}_{camera}").write_bytes(file.read_bytes())
    with pytest.raises(InputError, match="tiny: has no training images, it is for testing only; train on another"):
        launched(tmp_path, tmp_path / "occluded", ", layout: occluded_reid", Warnings())
