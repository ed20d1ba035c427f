"""The report as a PDF, set by Typst from assets/template.typ."""

import json
from datetime import datetime
from pathlib import Path
from shutil import copyfile
from typing import Any

import typst
from matplotlib.ft2font import FT2Font

from reid.report.render.assets import ASSETS
from reid.report.style import FONTS


def to_pdf(content: dict[str, Any], folder: Path) -> bytes:
    """The PDF; `folder` holds the files that the content's blocks name. Its date is the plan's."""
    copyfile(ASSETS / "template.typ", folder / "template.typ")
    (folder / "data.json").write_text(json.dumps(_printable(content), ensure_ascii=False), encoding="utf-8")
    return bytes(
        typst.compile(
            folder / "template.typ",
            root=folder,
            font_paths=[FONTS],
            ignore_system_fonts=True,
            timestamp=int(datetime.fromisoformat(content["created"]).timestamp()),
            format="pdf",
        )
    )


def _printable(value: Any) -> Any:
    """`value` with every character that the fonts lack written as its code point: it would be set as an empty box."""
    known = FT2Font(str(FONTS / "DejaVuSans.ttf")).get_charmap()

    def spell(item: Any) -> Any:
        if isinstance(item, str):
            return "".join(c if ord(c) in known or c in "\n\t" else f"\\u{ord(c):04x}" for c in item)
        if isinstance(item, dict):
            return {key: spell(entry) for key, entry in item.items()}
        return [spell(entry) for entry in item] if isinstance(item, list) else item

    return spell(value)
