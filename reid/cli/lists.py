"""`reid list | schema`: what grid files, study files and recipes may say."""

import json
from typing import Annotated, Literal

import typer
from rich.table import Column, Table

from reid.cli.options import Plugins, use_plugins
from reid.cli.views.screen import Screen, say

Kind = Literal["tricks", "fields", "backbones", "losses", "metrics", "layouts"]


def list_command(
    kind: Annotated[Kind, typer.Argument(help="What to list.")],
    plugins: Plugins = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, an object a line of the table.")] = False,
) -> None:
    """What there is to choose from, what each is, and its source; plugins included."""
    from reid.cli.views.catalogue import catalogue

    use_plugins(plugins)
    rows = catalogue(kind)
    if as_json:
        say(json.dumps(rows, indent=1))
        return
    table = Table(*(Column(head, overflow="fold", no_wrap=not number) for number, head in enumerate(rows[0])), box=None)
    for row in rows:
        table.add_row(*row.values())
    console = Screen()
    console.print(table, width=None if console.is_terminal else 200)


def schema(
    kind: Annotated[Literal["grid", "study", "recipe"], typer.Argument(help="Which file.")], plugins: Plugins = None
) -> None:
    """The JSON Schema of a YAML file, for editors: completion, descriptions, and errors as one types."""
    from reid.cli.views.schemas import file_schema

    use_plugins(plugins)
    say(json.dumps(file_schema(kind), indent=1))
