"""The report as one HTML file that needs nothing else: figures and images are inside it."""

import base64
from html import escape
from pathlib import Path
from typing import Any

from reid.report.elements import Block
from reid.report.render.assets import ASSETS

TYPES = {".svg": "image/svg+xml", ".jpg": "image/jpeg"}


def to_html(content: dict[str, Any], folder: Path) -> str:
    """The page; `folder` holds the files that the content's blocks name."""
    sections = content["sections"]
    links = "".join(f'<li><a href="#s{n}">{escape(one["title"])}</a></li>' for n, one in enumerate(sections, start=1))
    parts = [
        f"<h1>{escape(content['title'])}</h1><p class=question>{escape(content['question'])}</p>",
        f"<p class=headline>{escape(content['headline'])}</p>",
        *(_block(block, folder) for block in content["verdict"]),
        f"<nav><ol>{links}</ol></nav>",
    ]
    for n, section in enumerate(sections, start=1):
        parts.append(f'<h2 id="s{n}">{n} {escape(section["title"])}</h2>')
        parts += [_block(block, folder) for block in section["blocks"]]
    style = (ASSETS / "report.css").read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{escape(content["title"])}</title>'
        f"<style>{style}</style></head>\n<body>\n" + "\n".join(parts) + "\n</body></html>\n"
    )


def _block(block: Block, folder: Path) -> str:
    match block["kind"]:
        case "text":
            return f"<p>{escape(block['body'])}</p>"
        case "warning":
            return f"<p class=warning>{escape(block['body'])}</p>"
        case "code":
            return f"<pre>{escape(block['body'])}</pre>"
        case "figure":
            caption = escape(block["caption"])
            image = _image(folder / block["file"], caption)
            return f"<figure><div class=scroll>{image}</div><figcaption>{caption}</figcaption></figure>"
        case "table":
            return _table(block)
        case "facts":
            return f"<dl>{_terms(block['lines'])}</dl>"
        case "card":
            return f"<section class=card><h3>{escape(block['title'])}</h3><dl>{_terms(block['lines'])}</dl></section>"
        case "ranks":
            return _ranks(block, folder)
    raise ValueError(f"unknown block {block['kind']}")


def _table(block: Block) -> str:
    def row(cells: list[str], tag: str) -> str:
        pairs = zip(cells, block["align"], strict=True)
        return "<tr>" + "".join(f"<{tag} class={align}>{escape(cell)}</{tag}>" for cell, align in pairs) + "</tr>"

    caption = f"<figcaption>{escape(block['caption'])}</figcaption>" if block["caption"] else ""
    body = "\n".join(row(cells, "td") for cells in block["rows"])
    head = f"<thead>{row(block['headings'], 'th')}</thead>"
    return f"<figure>{caption}<div class=scroll><table>{head}<tbody>\n{body}</tbody></table></div></figure>"


def _terms(lines: list[list[str]]) -> str:
    return "".join(f"<dt>{escape(key)}</dt><dd>{escape(value)}</dd>" for key, value in lines)


def _ranks(block: Block, folder: Path) -> str:
    rows = []
    for row in block["rows"]:
        top = "".join(
            f"<span class={'right' if one['right'] else 'wrong'}>"
            f"{_image(folder / one['file'], 'right' if one['right'] else 'wrong')}</span>"
            for one in row["top"]
        )
        rows.append(f"<div class='ranks scroll'><span>{_image(folder / row['query'], 'query')}</span>{top}</div>")
    return f"<h3>{escape(block['title'])}</h3>" + "".join(rows)


def _image(path: Path, alt: str) -> str:
    data = base64.b64encode(path.read_bytes()).decode()
    return f'<img alt="{alt}" src="data:{TYPES[path.suffix]};base64,{data}">'
