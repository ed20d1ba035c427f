"""The command line: all commands, and how an error ends one."""

import sys

import typer

from reid.cli.ablate import ablate
from reid.cli.data import data
from reid.cli.doctor import doctor
from reid.cli.lists import list_command, schema
from reid.cli.mlflow import sync, ui
from reid.cli.process import hide_passwords
from reid.cli.report import report
from reid.cli.runs import runs
from reid.cli.streams import guard_streams, have_a_home, incomplete_output
from reid.cli.train import curves, evaluate, train
from reid.cli.tune import tune
from reid.cli.verdict import verdict
from reid.cli.views.screen import Screen
from reid.errors import InputError
from reid.shown import hide, printable

LONGEST = 300  # characters of an error

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Which trick of the person re-identification strong baseline helps, by how much, how sure.",
)
app.add_typer(data, name="data")
app.add_typer(runs)
app.command("list")(list_command)
for command in (ablate, tune, train, evaluate, curves, report, verdict, schema, sync, ui, doctor):
    app.command()(command)


def one_line(text: str) -> str:
    """A message as one line of at most LONGEST characters, without control characters; the middle goes first."""
    text = printable(text).replace("\n", " ").replace("\t", " ")
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 101]}…{text[-100:]}"


def refuse(text: str) -> None:
    Screen(stderr=True).print(f"error: {one_line(text)}", soft_wrap=True)
    sys.exit(2)


def main() -> None:
    """Entry point: bad input is one line on standard error and exit code 2; so is output that went nowhere."""
    hide_passwords()
    guard_streams()
    have_a_home()
    try:
        sys.exit(app(standalone_mode=False) or 0)
    except InputError as error:
        refuse(str(error))
    except OSError as error:  # of a file that nobody thought of: its name is too long, its disk full, its owner another
        if error.filename is None:
            raise
        refuse(f"{error.filename}: {error.strerror}")
    except typer.TyperException as error:  # of the words of the command; without any, help was shown
        if wrong := hide(error.format_message()).rstrip("."):
            context = getattr(error, "ctx", None)
            refuse(f"{wrong}; `{context.command_path if context else 'reid'} --help` says more")
        sys.exit(error.exit_code)
    except SystemExit as ended:
        if not ended.code and (line := incomplete_output()):
            refuse(line)
        raise
