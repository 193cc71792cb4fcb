"""Names whose bytes are not UTF-8 reach the terminal, records, pictures and TensorBoard."""

from __future__ import annotations

import ast
import io
import json
import logging
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from custom.base.errors import BadInput
from custom.base.readable import HANDLER, quoted, readable
from custom.command_line.edge import start_log
from custom.report import save_overlay, write_json, write_scores_csv
from custom.report.board import summary_writer
from custom.report.tables import SLICE_COLUMNS, plain
from custom.running import OutputFolder
from custom.study.figures.drawing import as_text

NAME, SPELT = os.fsdecode(b"cell_10\xb5m.tif"), r"cell_10\xb5m.tif"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (NAME, SPELT),
        ("a µ.tif", "a µ.tif"),
        ("\udcc2\udcb5\udcb5", r"µ\xb5"),  # as a locale of ASCII alone brings the UTF-8 of the micro sign
        ("a\ud800", r"a\ud800"),
        ("", ""),
    ],
)
def test_readable(name: str, text: str) -> None:
    assert readable(name) == text == readable(text)
    assert str(BadInput(f"{name}: is missing")) == f"{text}: is missing"


@pytest.mark.parametrize(("encoding", "text"), [("utf-8", rf"µ {SPELT}"), ("ascii", rf"\xb5 {SPELT}")])
def test_a_stream_takes_every_name(encoding: str, text: str) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding, HANDLER)
    print("µ", NAME, end="", file=stream, flush=True)
    assert stream.buffer.getvalue().decode(encoding) == text  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", [NAME, "it's " + NAME, "\\\\x" + NAME, "a b", "Li#3", "$x"])
def test_a_shell_takes_every_name(name: str) -> None:
    said = subprocess.run(["bash", "-c", f"printf %s {quoted(name)}"], capture_output=True, check=True)
    assert said.stdout == os.fsencode(name)


def test_records_take_every_name(tmp_path: Path) -> None:
    content = {"stack": NAME, "files": [Path(NAME)], NAME: {"µ": 1}}
    write_json(tmp_path / NAME, content)
    found = json.loads((tmp_path / NAME).read_bytes().decode("utf-8"))
    assert found == {"stack": SPELT, "files": [SPELT], SPELT: {"µ": 1}} == plain(content)
    write_scores_csv(tmp_path / "s.csv", [dict.fromkeys(SLICE_COLUMNS, 1) | {"stack": NAME}])
    assert (tmp_path / "s.csv").read_text(encoding="utf-8").splitlines()[1].startswith(f"{SPELT},1,")


def test_the_log_takes_every_name(tmp_path: Path) -> None:
    root = logging.getLogger()
    before = root.handlers[:]
    start_log(tmp_path / NAME)
    logging.getLogger("x").warning("%s µ", NAME)
    for handler in set(root.handlers) - set(before):
        root.removeHandler(handler)
        handler.close()
    assert (tmp_path / NAME / "train.log").read_text(encoding="utf-8").endswith(f" {SPELT} µ\n")


def test_pictures_take_every_name(tmp_path: Path) -> None:
    grey = np.zeros((8, 8, 3), np.uint8)
    for title in (NAME, SPELT):
        save_overlay(tmp_path / f"{len(title)}{title}.png", grey, {"lithium": (230, 159, 0)}, title)
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1
    for name in (NAME, "a$b$", "$\\frac"):
        figure = Figure()
        figure.suptitle(as_text(name))
        figure.savefig(io.BytesIO())


@pytest.mark.parametrize("name", ["plain", NAME])
def test_tensorboard_writes_into_every_folder(name: str, tmp_path: Path) -> None:
    assert summary_writer(OutputFolder(tmp_path, rank=1)) is None
    writer = summary_writer(OutputFolder(tmp_path / name))
    assert writer is not None
    for step in range(3):
        writer.add_scalar("loss", step / 2, step)
        writer.flush()
    writer.close()
    (tmp_path / name).rename(tmp_path / "read")
    events = EventAccumulator(str(tmp_path / "read")).Reload()
    assert [event.value for event in events.Scalars("loss")] == [0, 0.5, 1]


def opened_as_text(path: Path) -> list[int]:
    """The lines that open a text without naming its encoding."""
    calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    found = []
    for call in calls:
        name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
        mode = (
            call.args[1].value
            if name == "open" and len(call.args) > 1 and isinstance(call.args[1], ast.Constant)
            else ""
        )
        opens = name in ("read_text", "write_text") or (name == "open" and isinstance(call.func, ast.Name))
        if opens and "b" not in str(mode) and not any(word.arg == "encoding" for word in call.keywords):
            found.append(call.lineno)
    return found


def test_texts_are_opened_with_an_encoding() -> None:
    """Without one the locale decides, and that of a plain cluster node is ASCII."""
    root = Path(__file__).parents[2]
    for path in [*(root / "custom").rglob("*.py"), *(root / "scripts").rglob("*.py")]:
        assert opened_as_text(path) == [], path
