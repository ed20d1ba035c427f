"""After the search: its winner and the paper's defaults, trained anew and compared once on the test set."""

import math
from datetime import UTC, datetime
from statistics import fmean

from reid.data import BenchmarkDataset, DatasetSource, DecodedDataset
from reid.recipe import Recipe
from reid.statistics.paired import paired_difference
from reid.store.dataset_record import dataset_record
from reid.store.plan import ArmRecord, Plan, PlannedRun
from reid.store.run_folder import RunFolder
from reid.store.run_records import DatasetRecord, RecipeRecord, RunRecord, RunState
from reid.store.run_store import asked_now, lift_early_stop
from reid.store.shared_training import run_signature, shared_trainings
from reid.store.study import ComparedRuns, ComparisonRecord, DefaultsRecord, TrialRecord, TrialRun, WinnerRecord
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
        best: TrialRecord,
        source: DatasetSource,
        data: DecodedDataset[BenchmarkDataset],
        search: SearchRuns,
    ) -> None:
        self.study, self.best, self.run_store = study, best, search.run_store
        winner, record = study.recipe(best.params), dataset_record(source, data)
        parts = {WINNER: (winner, record), DEFAULTS: (study.defaults, record), RERUN: (winner, search.record)}
        self.runs = [
            (arm, seed, run_signature(recipe, seed, where.fingerprint))
            for seed in study.fresh_seeds
            for arm, (recipe, where) in parts.items()
        ]
        self.plan = self._plan(parts)
        for asked in self._asked(parts):
            lift_early_stop(self.run_store.enter(asked))  # a grid's budget may have given it up

    def _plan(self, parts: dict[str, tuple[Recipe, DatasetRecord]]) -> Plan:
        """What an orchestrator needs to train them: every run once, under the first name it has."""
        shares = shared_trainings(
            ((signature, parts[arm][0], seed, parts[arm][1].fingerprint) for arm, seed, signature in self._once()),
            self.run_store.folder,
        )
        return Plan(
            name=f"{self.study.spec.name}: comparison",
            factors=(),
            seeds=self.study.fresh_seeds,
            arms=tuple(
                ArmRecord(arm=arm, levels={}, recipe=RecipeRecord.of(recipe)) for arm, (recipe, _) in parts.items()
            ),
            runs=tuple(
                PlannedRun(signature=signature, arm=arm, seed=seed, shares=shares.get(signature))
                for arm, seed, signature in self._once()
            ),
        )

    def _once(self) -> list[tuple[str, int, str]]:
        """Arm, seed and signature of every run once: where the defaults won, two arms are one run."""
        first: dict[str, tuple[str, int, str]] = {}
        for run in self.runs:
            first.setdefault(run[2], run)
        return list(first.values())

    def _asked(self, parts: dict[str, tuple[Recipe, DatasetRecord]]) -> list[RunRecord]:
        """What run.json says of every run."""
        return [
            asked_now(run.signature, RecipeRecord.of(parts[run.arm][0]), run.seed, parts[run.arm][1], run.shares)
            for run in self.plan.runs
        ]

    def is_over(self) -> bool:
        """Whether every run has its result."""
        return all(self.run_store.folder(signature).read_state().state.has_result for _, _, signature in self.runs)

    def record(self, looks: int) -> ComparisonRecord:
        """What comparison.json says of it, the so manieth; it must be over. A run that diverged has no value."""
        objective = self.study.objectives[0]
        winner, defaults, rerun = (self._side(arm, objective.metric) for arm in (WINNER, DEFAULTS, RERUN))
        gap = paired_difference(_numbers(winner), _numbers(defaults), objective.sign > 0, looks=looks)
        again = [value for value in rerun.values if value is not None]
        assert self.best.values is not None, "the best trial is complete"
        reached = self.best.values[0]
        return ComparisonRecord(
            metric=objective.metric,
            direction=objective.direction,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            seeds=self.study.fresh_seeds,
            winner=WinnerRecord(
                trial=self.best.number, params=self.best.params, runs=winner.runs, values=winner.values
            ),
            defaults=DefaultsRecord(params=self.study.default_values(), runs=defaults.runs, values=defaults.values),
            rerun=rerun,
            difference=_finite(gap.difference),
            low=_finite(gap.low),
            high=_finite(gap.high),
            p=_finite(gap.p),
            pairs=gap.pairs,
            by_ranks=gap.by_ranks,
            looks=looks,
            validation_best=reached,
            optimism=objective.sign * (reached - fmean(again)) if again else None,
        )

    def _side(self, arm: str, metric: str) -> ComparedRuns:
        runs = [(seed, self.run_store.folder(signature)) for name, seed, signature in self.runs if name == arm]
        return ComparedRuns(
            runs=tuple(TrialRun(seed=seed, signature=folder.signature) for seed, folder in runs),
            values=tuple(_value(folder, metric) for _, folder in runs),
        )


def _value(folder: RunFolder, metric: str) -> float | None:
    state = folder.read_state().state
    assert state.has_result, "compared when every run is over"
    return metric_of(folder.require_result(), metric) if state == RunState.FINISHED else None


def _numbers(side: ComparedRuns) -> list[float]:
    return [math.nan if value is None else value for value in side.values]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
