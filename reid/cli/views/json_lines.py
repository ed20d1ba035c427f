"""A launch as lines of JSON, one an event, for machines without a terminal."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from types import TracebackType
from typing import Self

import typer

from reid.cli.views.looks import look_document
from reid.grids.launch import Progress
from reid.grids.status import GridStatus, RunStatusRow


class EventLines:
    """A view: {"event": "run" | "look" | "warning" | "end", ...}; a run with all that its status says of it."""

    def __init__(self) -> None:
        self.looks = 0  # shown so far

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    @contextmanager
    def preparing(self, what: str) -> Iterator[Progress]:  # noqa: ARG002 - the view's; a line a file would be noise
        yield lambda done, total: None  # noqa: ARG005

    def show(self, status: GridStatus, changed: RunStatusRow | None) -> None:
        for look in status.looks[self.looks :]:
            self._print("look", grid=status.grid, **look_document(look))
        self.looks = len(status.looks)
        if changed is not None:
            about = {key: value for key, value in asdict(changed).items() if value is not None and key != "started"}
            self._print("run", grid=status.grid, over=status.with_result(), runs=len(status.runs), **about)

    def warn(self, text: str) -> None:
        self._print("warning", text=text)

    def end(self, status: GridStatus) -> None:
        self._print("end", grid=status.grid, counts=status.counts(), gave_up=status.gave_up)

    def _print(self, event: str, **about: object) -> None:
        typer.echo(json.dumps({"event": event, **about}))
