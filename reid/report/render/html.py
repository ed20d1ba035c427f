"""The report as one HTML file that needs nothing else, from assets/report.html: figures and images are inside it."""

import base64
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from reid.report.elements import Document, Element
from reid.report.render.assets import ASSETS
from reid.shown import printable

TYPES = {".svg": "image/svg+xml", ".jpg": "image/jpeg"}


def to_html(document: Document, folder: Path) -> str:
    """The page; `folder` holds the files that the document's elements name."""

    def inline(file: str) -> str:
        data = base64.b64encode((folder / file).read_bytes()).decode()
        return f"data:{TYPES[Path(file).suffix]};base64,{data}"

    templates = Environment(
        loader=FileSystemLoader(ASSETS),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {"inline": inline, "kind": kind}
    style = (ASSETS / "report.css").read_text(encoding="utf-8")
    return templates.get_template("report.html").render(document=document, style=style) + "\n"


def _printable(value: object) -> object:
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def kind(element: Element) -> str:
    """The name of an element's class."""
    return type(element).__name__
