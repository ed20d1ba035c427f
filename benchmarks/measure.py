"""Measures the house, and fails where a limit is broken: `make measure`."""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "reid"
# Folders of one purpose: a file an item.
OF_ONE_PURPOSE = ("data/layouts", "data/synthetic", "losses", "tricks")


@dataclass(frozen=True)
class Limit:
    """A number of the code, and the most it may be."""

    what: str
    found: int
    most: int
    where: str = ""

    @property
    def line(self) -> str:
        where = f"  ({self.where})" if self.where else ""
        sign = "" if self.found <= self.most else "  <-- too many"
        return f"{self.what:<48}{self.found:>6}  of at most {self.most}{where}{sign}"


def limits() -> Iterator[Limit]:
    texts = {path: path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}
    lines = [line for text in texts.values() for line in text.splitlines()]
    yield Limit("lines with Any", sum(bool(re.search(r"\bAny\b", line)) for line in lines), 130)
    yield Limit("lines with dict[str, Any]", sum("dict[str, Any]" in line for line in lines), 30)
    folders = {path.parent for path in texts if not _is_of_one_purpose(path.parent)}
    fullest = max(folders, key=lambda folder: len(list(folder.glob("*.py"))))
    yield Limit("files in a folder of mixed purpose", len(list(fullest.glob("*.py"))), 16, _name(fullest))
    yield Limit("files in the root", len(list(PACKAGE.glob("*.py"))), 6)
    longest = max(texts, key=lambda path: texts[path].count("\n"))
    yield Limit("lines of a file", texts[longest].count("\n"), 300, _name(longest))
    for file, model in (("plan.json", "Plan"), ("study.json", "StudyRecord")):
        readers = [
            path for path, text in texts.items() if re.search(rf"(?:read|require)_record\([^)]*\b{model}\b", text)
        ]
        yield Limit(f"places that read {file}", len(readers), 1, ", ".join(map(_name, readers)))


def _is_of_one_purpose(folder: Path) -> bool:
    return _name(folder).removeprefix("reid/") in OF_ONE_PURPOSE


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def main() -> int:
    found = list(limits())
    print("\n".join(limit.line for limit in found))
    return any(limit.found > limit.most for limit in found)


if __name__ == "__main__":
    sys.exit(main())
