"""The page itself, from its parts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any

from custom.base.files import complete_file
from custom.base.readable import HANDLER
from custom.cell_page.parts import SCALE
from custom.cell_page.script import SCRIPT, SLICES
from custom.cell_page.style import STYLE

_LOOKS = (("corner", "from a corner"), ("y", "along y"), ("x", "along x"), ("z", "along z"))


@dataclass(frozen=True)
class Card:
    """A headline figure: what it is, its value with unit, and what it rests on."""

    name: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Page:
    """What the page shows; texts are plain, and put into HTML here.

    Attributes:
        title: of the page.
        answer: in one sentence, what somebody wants to know first.
        cards: headline figures.
        scene: the data of the view in 3-D: size (x, y, z), unit, meshes, electrodes, places, groups; see `script.py`. None:
            there is no view.
        pieces: rows of the table, by column; the first column is the number of the piece.
        left_out: how many pieces the table leaves out.
        charts: SVG.
        pictures: caption and picture's URL, of what is flat: maps.
        slices: the same, of some slices, of which one is seen at a time.
        static: the same, in place of the view in 3-D.
        told: provenance, by name.
    """

    title: str
    answer: str
    cards: Sequence[Card]
    scene: Mapping[str, Any] | None = None
    pieces: Sequence[Mapping[str, str]] = ()
    left_out: int = 0
    charts: Sequence[str] = ()
    pictures: Sequence[tuple[str, str]] = ()
    slices: Sequence[tuple[str, str]] = ()
    static: Sequence[tuple[str, str]] = ()
    told: Mapping[str, str] = field(default_factory=dict)


@lru_cache(maxsize=1)
def _three() -> str:
    """The library of the view in 3-D, as JSON: a packed bundle holds no scripts."""
    library = json.loads((Path(__file__).parent / "three.json").read_text(encoding="utf-8"))
    return f"/* {library['name']} {library['version']}, {library['licence']} */\n{library['code']}"


def write_page(page: Page, path: Path) -> None:
    """Write it as one file that needs no network.

    Raises:
        BadInput: it cannot be written; nothing is left under its name.
    """
    body = "".join(
        [
            f"<h1>{escape(page.title)}</h1>",
            f'<p class="answer">{escape(page.answer)}</p>',
            f'<div class="cards">{"".join(map(_card, page.cards))}</div>',
            "" if page.scene is None else _view(page, page.scene),
            _flow("Through the cell", list(page.charts)),
            _flow("Over the electrodes' plane", [_figure(*one) for one in page.pictures]),
            _slices(page.slices),
            _told(page.told),
        ]
    )
    with complete_file(path) as part:
        part.write_text(
            f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
            f"<title>{escape(page.title)}</title>\n<style>{STYLE}</style></head>\n<body>{body}\n"
            f"<script>{SLICES}</script>{'' if page.scene is None else _script(page.scene)}</body></html>\n",
            encoding="utf-8",
            errors=HANDLER,
        )


def _card(card: Card) -> str:
    return f'<div class="card">{escape(card.name)}<b>{escape(card.value)}</b><small>{escape(card.note)}</small></div>'


def _script(scene: Mapping[str, Any]) -> str:
    data = json.dumps({**scene, "scale": SCALE}, allow_nan=False).replace("</", "<\\/")
    return f'\n<script id="data" type="application/json">{data}</script>\n<script>{_three()}</script>\n<script>{SCRIPT}</script>'


def _view(page: Page, scene: Mapping[str, Any]) -> str:
    meshes = scene["meshes"]
    controls = [f'<button data-look="{name}">{text}</button>' for name, text in _LOOKS]
    colours = [("piece", "agglomerate")]
    colours += [("depth", "depth")] if scene["electrodes"] else []
    colours += [(name, name) for name in scene["groups"]]
    options = "".join(f'<option value="{name}">{text}</option>' for name, text in colours)
    controls.append(f'<label>Colour by <select id="colour">{options}</select></label>')
    if scene["electrodes"]:
        controls.append('<label><input type="checkbox" id="electrodes" checked> electrodes</label>')
    if len(meshes) > 1:
        first = scene["first"]
        controls.append(
            f'<label>Threshold <input type="range" id="threshold" min="0" max="{len(meshes) - 1}" value="{first}"> '
            f'<output id="at">{meshes[first]["threshold"]}</output></label>'
        )
    static = "".join(_figure(*one) for one in page.static)
    return (
        '<h2>Lithium in the cell</h2><div class="view"><div><div id="three"><div class="controls">'
        f'{"".join(controls)}</div><div id="stage"><div id="legend"></div><div id="bar"></div></div></div>'
        f'<div id="none"><p id="why"></p><div class="flow">{static}</div></div></div>{_table(page)}</div>'
    )


def _table(page: Page) -> str:
    if not page.pieces:
        return ""
    heads = "".join(f"<th>{escape(name)}</th>" for name in page.pieces[0])
    rows = []
    for number, row in enumerate(page.pieces):
        first, *others = row.values()
        cells = "".join(f"<td>{escape(value)}</td>" for value in others)
        rows.append(f'<tr data-piece="{number}"><td><button>{escape(first)}</button></td>{cells}</tr>')
    more = f"<p>{page.left_out} smaller ones: agglomerates.csv</p>" if page.left_out else ""
    return f'<div><div class="rows"><table><tr>{heads}</tr>{"".join(rows)}</table></div>{more}</div>'


def _figure(caption: str, url: str) -> str:
    return f'<figure><figcaption>{escape(caption)}</figcaption><img src="{url}" alt="{escape(caption)}"></figure>'


def _flow(title: str, parts: Sequence[str]) -> str:
    return f'<h2>{escape(title)}</h2><div class="flow">{"".join(parts)}</div>' if parts else ""


def _slices(slices: Sequence[tuple[str, str]]) -> str:
    if not slices:
        return ""
    middle = len(slices) // 2
    figures = "".join(
        _figure(*one).replace("<figure>", f'<figure data-slice="{number}"{"" if number == middle else " hidden"}>')
        for number, one in enumerate(slices)
    )
    slider = f'<input type="range" id="slice" min="0" max="{len(slices) - 1}" value="{middle}" aria-label="slice">'
    return f"<h2>Slices</h2><p>{slider}</p>{figures}"


def _told(told: Mapping[str, str]) -> str:
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in told.items())
    return f'<h2>What this rests on</h2><table class="told">{rows}</table>'
