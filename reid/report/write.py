"""The files that a report is written to: where, in which formats, whole or not at all."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from reid.errors import InputError
from reid.files import atomic
from reid.report.elements import Document, Figure
from reid.report.render.html import to_html
from reid.report.render.latex import to_latex
from reid.report.render.markdown import to_markdown
from reid.report.render.pdf import to_pdf
from reid.report.spreadsheet import disarm

# LaTeX makes a PDF of its own beside its file, which must not be the report.
FILES = {"pdf": "report.pdf", "html": "report.html", "latex": "tables.tex", "markdown": "tables.md"}
FORMATS = (*FILES, "csv")


@dataclass(frozen=True)
class Place:
    """The folder to write to, the formats asked for, and the name of each format's file."""

    folder: Path
    formats: Sequence[str]
    names: Mapping[str, str]

    @classmethod
    def of(cls, out: Path, formats: Sequence[str], files: Mapping[str, str] = FILES) -> "Place":
        """A folder, or the file of one of the formats. Raises InputError for a format or file that does not fit."""
        known = (*files, "csv")
        if unknown := [kind for kind in formats if kind not in known]:
            raise InputError(f"--format: known are {', '.join(known)}, found {unknown[0]!r}")
        kind = file_kind(out, files)
        if kind is None:
            return cls(out, formats, files)
        if kind not in formats:
            raise InputError(
                f"{out}: the formats asked for are {', '.join(formats)}; give a folder or a file of one of them"
            )
        return cls(out.parent, formats, {**files, kind: out.name})


def chosen_formats(asked: str | None, out: Path) -> list[str]:
    """The formats of a list with commas; by default the PDF and the CSVs, or the format of the file `out` names."""
    if asked is not None:
        return [kind.strip() for kind in asked.split(",")]
    return [file_kind(out) or "pdf", "csv"]


def file_kind(out: Path, files: Mapping[str, str] = FILES) -> str | None:
    """The format of a file by its suffix, None for a folder."""
    return next((kind for kind, name in files.items() if Path(name).suffix == out.suffix), None)


def write_files(place: Place, describe: Callable[[Path], Document], tables: Callable[[Path], list[Path]]) -> list[Path]:
    """Write what `describe` says (with figures in the folder it is given) and what `tables` writes; returns paths."""
    with _writing(place.folder):
        place.folder.mkdir(parents=True, exist_ok=True)
    paths = []
    rendered = [kind for kind in place.names if kind in place.formats]
    if rendered:
        with TemporaryDirectory() as name:
            document = describe(Path(name))
            for kind in rendered:
                paths.append(place.folder / place.names[kind])
                rendering = _render(kind, document, Path(name))
                with _writing(paths[-1]), atomic(paths[-1]) as temporary:
                    temporary.write_bytes(rendering)
    if "csv" in place.formats:
        for table in tables(place.folder / "tables"):
            disarm(table)
            paths.append(table)
    return paths


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Tell in one line that a path cannot be written."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{path}: must be writable for a report, found {error.strerror}; choose another -o") from None


def _render(kind: str, document: Document, folder: Path) -> bytes:
    match kind:
        case "pdf":
            return to_pdf(document, folder)
        case "html":
            return to_html(document, folder).encode()
        case "svg":
            return (folder / next(one.file for one in document.verdict if isinstance(one, Figure))).read_bytes()
        case "latex":
            return to_latex(document).encode()
        case _:
            return to_markdown(document).encode()
