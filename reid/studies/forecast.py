"""What a study will cost, before anything is spent."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import torch

from reid.grids.forecast import timed_ranking, timed_training
from reid.grids.launch import View
from reid.store.run_records import Cost
from reid.store.run_store import RunStore
from reid.store.study import TrialRecord, read_comparison, read_trials
from reid.studies.launch import open_search, study_folder
from reid.studies.study_file import StudyPlan

SIDES = 3  # of the comparison: winner, defaults, and the winner on validation identities


@dataclass(frozen=True)
class StudyForecast:
    """What is left to do, and how long it takes.

    `trainings` and `rankings` are runs of the search, at most: a pruner saves some. The `rankings` are evaluated from
    the weights of a training. `compared` are runs of the comparison. `seconds_a_run` comes from `source`.
    """

    trials: int
    over: int
    seeds: int
    trainings: int
    rankings: int
    compared: int
    seconds_a_run: float
    seconds_a_ranking: float
    source: str
    slots: int

    @property
    def slot_hours(self) -> float:
        """Hours of one slot; over the slots, hours on the clock."""
        trained = (self.trainings + self.compared) * self.seconds_a_run
        return (trained + self.rankings * self.seconds_a_ranking) / 3600


def preview(plan: StudyPlan, output: Path, skip_unreadable: bool, device: str, slots: int, view: View) -> StudyForecast:
    """What the study would cost. Writes nothing but the decoded images."""
    run_store, folder = RunStore.create(output), study_folder(output, plan)
    data = open_search(plan, run_store, skip_unreadable, view).data
    trials = read_trials(folder)
    over = sum(trial.state.is_over for trial in trials)
    left, seeds = max(plan.spec.trials - over, 0), len(plan.spec.seeds)
    trainings = min(left, 1) * seeds if plan.trains_once else left * seeds
    rankings = left * seeds if plan.evaluates_only else 0
    costs = _costs(trials, run_store)
    trained = [cost.train_seconds + cost.evaluation_seconds for cost in costs if cost.shares is None]
    ranked = [cost.evaluation_seconds for cost in costs if cost.shares is not None]
    where = torch.device(device)
    return StudyForecast(
        trials=left,
        over=over,
        seeds=seeds,
        trainings=trainings,
        rankings=rankings,
        compared=0 if read_comparison(folder) and not left else SIDES * len(plan.fresh_seeds),
        seconds_a_run=median(trained) if trained else timed_training(plan.defaults, data, where),
        seconds_a_ranking=median(ranked or [timed_ranking(plan.defaults, data, where)]) if rankings else 0.0,
        source=f"{len(trained)} runs of this study" if trained else "one timed epoch of the paper's values",
        slots=slots,
    )


def _costs(trials: Sequence[TrialRecord], run_store: RunStore) -> list[Cost]:
    """What the runs of the trials cost that have a result."""
    signatures = {run.signature for trial in trials for run in trial.runs}
    folders = [run_store.folder(signature) for signature in sorted(signatures)]
    results = [folder.read_result() for folder in folders if folder.read_state().state.has_result]
    return [result.cost for result in results if result is not None]
