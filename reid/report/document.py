"""What the report of a grid and that of a study have in common."""

from collections.abc import Sequence

from reid.report.elements import Alert, Document, Element, Section
from reid.store.plan import Plan
from reid.store.study import StudyRecord


def document(
    asked: Plan | StudyRecord, headline: str, verdict: Sequence[Element], sections: Sequence[Section]
) -> Document:
    """A report under the title and the question that its plan has; dated as the plan is."""
    return Document(
        title=asked.title or asked.name,
        name=asked.name,
        question=asked.question,
        created=asked.created,
        headline=headline,
        verdict=verdict,
        sections=sections,
    )


def mixture_alerts(mixed: Sequence[str]) -> list[Alert]:
    """For the first page: what the runs do not have in common, in words, where that was allowed."""
    return [Alert(f"Mixed runs, allowed by --allow-mixed. Found more than one {words}.") for words in mixed]
