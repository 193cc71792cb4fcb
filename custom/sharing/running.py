"""The commands that make and judge a bundle that lies in a folder, each in a process of its own."""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path

from custom.base.errors import BadInput
from custom.running.bundle import run_bundle

# a slice of the phantom, by the shipped network, takes seconds on one slow core
LIMIT = 900.0
FLAGS = ("-E", "-B")  # blind to the caller's PYTHON* variables; no __pycache__ joins the folder


def _run(work: Path, command: str, *words: str, source: Path | None = None) -> None:
    """One command in the directory `work`, to its end.

    Args:
        source: what a refusal names in place of `work`.

    Raises:
        BadInput: it fails, or does not end; quotes its last line.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        try:
            code = run_bundle((command, *words), work, subprocess.DEVNULL, output, FLAGS, LIMIT)
        except TimeoutError as error:
            raise BadInput(f"{source or work}: {command} {error}; try on an idle machine") from error
        output.seek(0)
        said = [line for line in output.read().splitlines() if re.match(r"\w[\w.]*: ", line)] if code else []
    if code:
        raise BadInput(
            f"{source or work}: {command} fails here ({(said or ['no message'])[-1][:300]}); mend that first"
        )


def segment_slice(folder: Path, output_dir: Path, source: Path | None = None) -> Path:
    """Segment the bundle's `selftest/slice.tif`, from the directory above, and return the path of the mask, a TIFF."""
    config, stack = folder / "configs/inference.json", folder / "selftest/slice.tif"
    _run(
        folder.parent,
        "run",
        *("--config_file", str(config), "--stack", str(stack), "--output_dir", str(output_dir)),
        *("--output_format", "tiff", "--device", "cpu", "--precision", "fp32"),
        source=source,
    )
    return output_dir / "mask.tif"


def export_script(folder: Path) -> None:
    """Write `models/model.ts` through MONAI's ckpt_export."""
    _run(
        folder,
        "ckpt_export",
        *("--net_id", "network_def", "--config_file", "configs/inference.json", "--meta_file", "configs/metadata.json"),
        *("--ckpt_file", "models/model.pt", "--filepath", "models/model.ts"),
    )
