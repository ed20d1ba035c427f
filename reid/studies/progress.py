"""How far a search is."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from reid.store.run_records import ProgressRecord
from reid.studies.study_file import StudyPlan


@dataclass
class SearchBoard:
    """What a view shows of a search: all its trials, and how far the runs of this process are."""

    plan: StudyPlan
    slots: int
    records: list[dict[str, Any]] = field(default_factory=list)
    progress: dict[str, ProgressRecord] = field(default_factory=dict)
    notices: deque[str] = field(default_factory=lambda: deque(maxlen=5))

    def remaining_seconds(self) -> float | None:
        """Mean time of the trials that are over, times what is left, over the slots; None before one is."""
        taken = [record["seconds"] for record in self.records if record["seconds"]]
        over = sum(record["state"] in ("complete", "pruned", "failed") for record in self.records)
        return sum(taken) / len(taken) * (self.plan.spec.trials - over) / self.slots if taken else None
