"""What the report of a grid and that of a study have in common."""

from collections.abc import Sequence
from typing import Any

from reid.report.elements import Alert, Document, Element, Section


def document(asked: dict[str, Any], headline: str, verdict: Sequence[Element], sections: Sequence[Section]) -> Document:
    """A report under the title and the question that its plan has; dated as the plan is."""
    return Document(
        title=asked.get("title") or asked["name"],
        name=asked["name"],
        question=asked.get("question") or "",
        created=asked.get("created") or "1970-01-01T00:00:00+00:00",
        headline=headline,
        verdict=verdict,
        sections=sections,
    )


def mixture_alerts(mixed: Sequence[str]) -> list[Alert]:
    """For the first page: what the runs do not have in common, in words, where that was allowed."""
    return [Alert(f"Mixed runs, allowed by --allow-mixed. Found more than one {words}.") for words in mixed]
