"""How far a search is."""

from collections import Counter, deque
from dataclasses import dataclass, field

from reid.store.run_records import ProgressRecord
from reid.store.study import StudyRecord, TrialRecord, TrialState


@dataclass
class SearchStatus:
    """What a view shows of a search: all its trials, and how far the runs of this process are."""

    study: StudyRecord
    slots: int
    trials: list[TrialRecord] = field(default_factory=list)
    progress: dict[str, ProgressRecord] = field(default_factory=dict)  # by signature
    notices: deque[str] = field(default_factory=lambda: deque(maxlen=5))

    def counts(self) -> Counter[TrialState]:
        """Trials by state."""
        return Counter(trial.state for trial in self.trials)

    def over(self) -> int:
        """Trials that are over."""
        return sum(trial.state.is_over for trial in self.trials)

    def remaining_seconds(self) -> float | None:
        """Mean time of the trials that are over, times what is left, over the slots; None before one is."""
        taken = [trial.seconds for trial in self.trials if trial.seconds]
        return sum(taken) / len(taken) * (self.study.trials - self.over()) / self.slots if taken else None
