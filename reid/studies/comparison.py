"""After the search: its winner and the paper's defaults, trained anew and compared once on the test set."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean
from typing import Any

from reid.data import BenchmarkDataset, DatasetSource, DecodedDataset
from reid.files import write_json
from reid.recipe import Recipe
from reid.statistics.paired import paired_difference
from reid.store.dataset_record import dataset_record
from reid.store.plan import ArmRecord, Plan, PlannedRun
from reid.store.run_folder import RunFolder
from reid.store.run_records import DatasetRecord, RecipeRecord, RunState
from reid.store.run_store import RunStore, asked_now
from reid.store.shared_training import run_signature, shared_trainings
from reid.studies.study_file import StudyPlan
from reid.studies.validation_runs import SearchRuns, metric_of

WINNER, DEFAULTS, RERUN = "winner", "defaults", "winner, validated again"


class Comparison:
    """A plan of runs, as a grid's: the winner and the defaults with fresh seeds, trained on all training identities
    and evaluated on the test set; and the winner with the same seeds as in the search, on validation identities.

    The first two say what is gained; the third says by how much the search flattered its winner.
    """

    def __init__(
        self,
        study: StudyPlan,
        best: dict[str, Any],
        run_store: RunStore,
        source: DatasetSource,
        data: DecodedDataset[BenchmarkDataset],
        search: SearchRuns,
    ) -> None:
        self.study, self.best, self.run_store = study, best, run_store
        winner, record = study.recipe(best["params"]), dataset_record(source, data)
        parts = {
            WINNER: (winner, record),
            DEFAULTS: (study.defaults, record),
            RERUN: (winner, search.record),
        }
        self.runs = [
            (arm, seed, run_signature(recipe, seed, where.fingerprint))
            for seed in study.fresh_seeds
            for arm, (recipe, where) in parts.items()
        ]
        described = {signature: (*parts[arm], seed) for arm, seed, signature in self.runs}
        shares = shared_trainings(
            [(signature, recipe, seed, where.fingerprint) for signature, (recipe, where, seed) in described.items()],
            run_store.folder,
        )
        for signature, (recipe, where, seed) in described.items():
            run_store.enter(asked_now(signature, RecipeRecord.of(recipe), seed, where, shares.get(signature)))
        self.plan = self._plan(parts, described, shares)

    def _plan(
        self,
        parts: dict[str, tuple[Recipe, DatasetRecord]],
        described: dict[str, tuple[Recipe, DatasetRecord, int]],
        shares: dict[str, str],
    ) -> Plan:
        """What an orchestrator needs to train them: every run once, under the first name it has."""
        names: dict[str, str] = {}
        for arm, _, signature in self.runs:
            names.setdefault(signature, arm)
        return Plan(
            name=f"{self.study.spec.name}: comparison",
            factors=(),
            seeds=tuple(self.study.fresh_seeds),
            arms=tuple(
                ArmRecord(arm=arm, levels={}, recipe=RecipeRecord.of(recipe)) for arm, (recipe, _) in parts.items()
            ),
            runs=tuple(
                PlannedRun(signature=signature, arm=names[signature], seed=seed, shares=shares.get(signature))
                for signature, (_, _, seed) in described.items()
            ),
        )

    def is_over(self) -> bool:
        return all(self.run_store.is_settled(signature) for _, _, signature in self.runs)

    def write(self, folder: Path) -> dict[str, Any]:
        """Write comparison.json and return it; every run must be over. A run that diverged has null for its value."""
        metric, direction = self.study.spec.objectives[0], self.study.directions[0]
        sides = {arm: self._side(arm, metric) for arm in (WINNER, DEFAULTS, RERUN)}
        gap = paired_difference(_numbers(sides[WINNER]), _numbers(sides[DEFAULTS]))
        again = [value for value in sides[RERUN]["values"] if value is not None]
        flattered = (self.best["values"][0] - fmean(again)) * (1 if direction == "maximize" else -1) if again else None
        params = {WINNER: self.best["params"], DEFAULTS: self.study.default_values()}
        record = {
            "metric": metric,
            "direction": direction,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "seeds": self.study.fresh_seeds,
            "winner": {"trial": self.best["number"], "params": params[WINNER], **sides[WINNER]},
            "defaults": {"params": params[DEFAULTS], **sides[DEFAULTS]},
            "rerun": sides[RERUN],
            "difference": _finite(gap.difference),
            "low": _finite(gap.low),
            "high": _finite(gap.high),
            "p": _finite(gap.p),
            "pairs": gap.pairs,
            "validation_best": self.best["values"][0],
            "optimism": flattered,
        }
        write_json(folder / "comparison.json", record)
        return record

    def _side(self, arm: str, metric: str) -> dict[str, Any]:
        runs = [(seed, self.run_store.folder(signature)) for name, seed, signature in self.runs if name == arm]
        return {
            "runs": [{"seed": seed, "signature": folder.signature} for seed, folder in runs],
            "values": [_value(folder, metric) for _, folder in runs],
        }


def _value(folder: RunFolder, metric: str) -> float | None:
    state = folder.read_state().state
    assert state.has_result, "compared when every run is over"
    return metric_of(folder.require_result(), metric) if state == RunState.FINISHED else None


def _numbers(side: dict[str, Any]) -> Sequence[float]:
    return [math.nan if value is None else value for value in side["values"]]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def best_of(study: StudyPlan, records: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """The complete trial with the best first objective, the earliest of equals; None if there is none."""
    sign = 1 if study.directions[0] == "maximize" else -1
    complete = [record for record in records if record["state"] == "complete"]
    return max(complete, key=lambda record: (sign * record["values"][0], -record["number"]), default=None)
