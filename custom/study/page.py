"""A report of tables and pictures, as Markdown and as one self-contained HTML page."""

from __future__ import annotations

import base64
import html
from dataclasses import dataclass
from pathlib import Path

from custom.base.files import complete_file
from custom.base.readable import HANDLER

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; max-width: 1200px; margin: 2rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.7rem; } h2 { font-size: 1.25rem; margin-top: 2.5rem; border-bottom: 1px solid #ccc; }
div.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; font-size: 0.92rem; }
th, td { padding: 0.3rem 0.8rem; border-bottom: 1px solid #ddd; text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; } thead th { border-bottom: 2px solid #444; white-space: normal; }
img { max-width: 100%; height: auto; }
"""


@dataclass(frozen=True)
class Table:
    """Cells as text; the first column holds names."""

    head: list[str]
    body: list[list[str]]


@dataclass(frozen=True)
class Picture:
    """A PNG file beside the report, and what it shows for those who cannot see it."""

    path: Path
    shows: str


@dataclass(frozen=True)
class Section:
    """A heading with paragraphs, tables and pictures in order."""

    title: str
    blocks: list[str | Table | Picture]


def write_markdown(path: Path, title: str, sections: list[Section]) -> None:
    """Write the report as Markdown."""
    with complete_file(path) as part:
        part.write_text(markdown(title, sections) + "\n", encoding="utf-8", errors=HANDLER)


def markdown(title: str, sections: list[Section]) -> str:
    """The report as Markdown; pictures are linked by their names."""
    lines = [f"# {title}"]
    for section in sections:
        lines += [f"## {section.title}", *(_markdown(block) for block in section.blocks)]
    return "\n\n".join(lines)


def _markdown(block: str | Table | Picture) -> str:
    if isinstance(block, str):
        return block
    if isinstance(block, Picture):
        return f"![{block.shows}]({block.path.name})"
    rules = ["---", *["---:"] * (len(block.head) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (block.head, rules, *block.body))


def write_html(path: Path, title: str, sections: list[Section]) -> None:
    """Write the report as one HTML file that needs no other: pictures and style are inside."""
    body = [f"<h1>{html.escape(title)}</h1>"]
    for section in sections:
        body += [f"<h2>{html.escape(section.title)}</h2>", *(_html(block) for block in section.blocks)]
    head = (
        f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{html.escape(title)}</title>'
    )
    page = f'<!DOCTYPE html>\n<html lang="en"><head>{head}<style>{STYLE}</style></head>\n<body>\n'
    with complete_file(path) as part:
        part.write_text(page + "\n".join(body) + "\n</body></html>\n", encoding="utf-8", errors=HANDLER)


def _html(block: str | Table | Picture) -> str:
    if isinstance(block, str):
        return f"<p>{html.escape(block)}</p>"
    if isinstance(block, Picture):
        data = base64.b64encode(block.path.read_bytes()).decode()
        return f'<p><img alt="{html.escape(block.shows)}" src="data:image/png;base64,{data}"></p>'
    rows = ["".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in block.body]
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in block.head)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
