"""What is printed for people: text as it is. No name, log or answer of a server is markup, nor obeyed by a terminal."""

from collections.abc import Iterable
from typing import Any

import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from reid.shown import printable


class Screen(Console):
    """A console that takes no markup and shows control characters as their code points."""

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str(printable(text), **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=printable(segment.text))


def say(text: object, err: bool = False, nl: bool = True) -> None:
    """Print a line, to standard error if asked."""
    typer.echo(printable(str(text)), err=err, nl=nl)
