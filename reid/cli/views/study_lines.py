"""A study as JSON: a line an event of its launch, and how it stands."""

from collections import Counter

from pydantic import JsonValue

from reid.cli.views.json_lines import EventLines
from reid.store.study import TrialRecord
from reid.studies.launch import Outcome, StudyStatus
from reid.studies.search import SearchStatus


class StudyEventLines(EventLines):
    """Besides a grid's lines {"event": "trial" | "end", ...}; a trial as trials.json has it."""

    def search(self, status: SearchStatus, ended: TrialRecord | None) -> None:
        if ended is not None:
            about = ended.model_dump(mode="json")
            self._print("trial", study=status.study.name, over=status.over(), trials=status.study.trials, **about)

    def end_study(self, outcome: Outcome) -> None:
        self._print(
            "end",
            study=outcome.study.name,
            counts=outcome.trials,
            best=None if outcome.best is None else outcome.best.model_dump(mode="json"),
            comparison=None if outcome.comparison is None else outcome.comparison.model_dump(mode="json"),
            stopped=outcome.stopped,
            gave_up=outcome.gave_up,
            elsewhere=outcome.elsewhere,
        )


def status_document(found: StudyStatus) -> dict[str, JsonValue]:
    """How a study stands, for `reid tune --status NAME --json`."""
    return {
        "study": found.study.name,
        "asked": found.study.trials,
        "counts": {state.value: count for state, count in Counter(trial.state for trial in found.trials).items()},
        "trials": [trial.model_dump(mode="json") for trial in found.trials],
        "comparison": None if found.comparison is None else found.comparison.model_dump(mode="json"),
    }
