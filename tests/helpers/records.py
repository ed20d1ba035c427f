"""Run folders for tests: what is in them as it lies on disk, and records of runs that nobody trained."""

import json
from typing import Any

from reid.metrics.scores import Scores
from reid.recipe import Recipe
from reid.store.run_folder import RunFolder
from reid.store.run_records import DatasetRecord, EvaluationRecord, RecipeRecord, RunRecord


def raw(folder: RunFolder, name: str) -> Any:
    """The JSON file `name` of a run folder ("run", "state", "result", ...), None where it is absent."""
    file = folder.path / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None


def write_raw(folder: RunFolder, name: str, value: Any) -> None:
    """Write the JSON file `name` of a run folder."""
    (folder.path / f"{name}.json").write_text(json.dumps(value), encoding="utf-8")


def scored(mAP: float) -> Scores:
    """Scores of which only mAP matters."""
    return Scores(mAP=mAP, mINP=mAP, rank1=mAP, rank5=mAP, rank10=mAP)


def evaluation(epoch: int, mAP: float) -> EvaluationRecord:
    """An evaluation of which only mAP matters."""
    return EvaluationRecord(epoch=epoch, **scored(mAP).model_dump())


def asked(signature: str, seed: int = 0) -> RunRecord:
    """A run of that name with the standard recipe on no data."""
    recipe, dataset = RecipeRecord.of(Recipe()), DatasetRecord(name="none")
    return RunRecord(signature=signature, recipe=recipe, seed=seed, dataset=dataset, code="0" * 16)
