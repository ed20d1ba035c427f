"""Text is UTF-8 whatever the locale: no file and no process is read or written in another encoding by default."""

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "reid"
FREE = {"read_text": 0, "write_text": 1}  # methods of paths, and how many arguments they have besides the encoding


def calls_without_encoding(source: str) -> Iterator[int]:
    """The lines on which text is read or written without saying how it is encoded."""
    tree = ast.parse(source)
    blocks = {id(item.context_expr) for node in ast.walk(tree) if isinstance(node, ast.With) for item in node.items}
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        named = {keyword.arg: keyword.value for keyword in call.keywords}
        if "encoding" in named or None in named:
            continue
        if isinstance(text := named.get("text"), ast.Constant) and text.value:  # of subprocess
            yield call.lineno
        elif isinstance(call.func, ast.Name) and call.func.id == "open":
            if not _is_binary(call.args[1:2]):
                yield call.lineno
        elif isinstance(call.func, ast.Attribute):
            name, words = call.func.attr, [one for one in call.args if isinstance(one, ast.Constant)]
            of_a_file = id(call) in blocks if not call.args else any(one.value in ("r", "w", "a", "x") for one in words)
            if (name in FREE and len(call.args) <= FREE[name]) or (name == "open" and of_a_file):
                yield call.lineno


def _is_binary(mode: list[ast.expr]) -> bool:
    return bool(mode) and isinstance(mode[0], ast.Constant) and "b" in str(mode[0].value)


def test_every_text_says_how_it_is_encoded() -> None:
    found = {
        f"{path.relative_to(PACKAGE.parent)}:{line}"
        for path in PACKAGE.rglob("*.py")
        for line in calls_without_encoding(path.read_text(encoding="utf-8"))
    }
    assert found == set()


def test_what_does_not_is_found() -> None:
    wrong = ["p.read_text()", "p.write_text('x')", "open(p)", "open(p, 'w')", "p.open('a')", "run(w, text=True)"]
    right = ["p.read_text('utf-8')", "p.write_text('x', encoding='utf-8')", "open(p, 'rb')", "p.open('rb')"]
    wrong += ["with p.open() as f: pass"]
    right += ["os.open(p, 1)", "dataset = source.open()", "webbrowser.open(url)"]
    assert [len(list(calls_without_encoding(line))) for line in wrong] == [1] * len(wrong)
    assert [len(list(calls_without_encoding(line))) for line in right] == [0] * len(right)
