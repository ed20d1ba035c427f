"""What is printed for people is text: no markup, and nothing that a terminal obeys."""

import io
import json
from pathlib import Path

import pytest
from rich.table import Table
from rich.text import Text

from reid.cli.views.grid_terminal import TerminalView
from reid.cli.views.screen import Screen, say
from reid.files import read_json

HOSTILE = "[red]a[/red]\x1b]0;title\x07 [link=http://evil]b[/link]\x9b2J\rc"
SHOWN = r"[red]a[/red]\u001b]0;title\u0007 [link=http://evil]b[/link]\u009b2J\u000dc"


@pytest.mark.parametrize("terminal", [True, False])
def test_text_stays_text_in_lines_tables_and_headings(terminal: bool) -> None:
    screen = Screen(file=io.StringIO(), width=200, force_terminal=terminal, color_system=None)
    table = Table(HOSTILE, box=None)
    table.add_row(HOSTILE)
    screen.print(HOSTILE, soft_wrap=True)
    screen.print(table)
    TerminalView(screen).warn(HOSTILE)
    screen.print(Text(HOSTILE, style="red"))
    shown = screen.file.getvalue()  # type: ignore[attr-defined]
    assert shown.count(SHOWN) == 4
    assert SHOWN.replace(r"\u0007", "").replace(r"\u000d", "") in shown, "Rich leaves bells and returns out of a Text"
    assert "\x1b]" not in shown
    assert not set(shown) & set("\x07\x9b\r")


def test_a_line_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    say(HOSTILE)
    say(Path("a\x1bb"), err=True)
    captured = capsys.readouterr()
    assert captured.out == f"{SHOWN}\n"
    assert captured.err == "a\\u001bb\n"


@pytest.mark.parametrize("text", ['"\\u001b[31m\\u009b"', '"\x9b\u202e"', '"\\ud800"', '["\\r", {"\\u0007": 1}]'])
def test_text_of_a_record_is_printable(text: str, tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text(text, encoding="utf-8")
    assert str(read_json(tmp_path / "state.json")).isprintable()


@pytest.mark.parametrize("value", ["é ● 行 \U0001f600", "a\nb\tc", "C:\\files\\u"])
def test_other_text_is_what_it_was(value: str, tmp_path: Path) -> None:
    for ascii_only in (True, False):
        (tmp_path / "state.json").write_text(json.dumps([value], ensure_ascii=ascii_only), encoding="utf-8")
        assert read_json(tmp_path / "state.json") == [value]
