"""Commands of a bundle that lies in a folder, each in a process of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from custom.base.errors import BadInput

# a slice of the phantom, by the shipped network, takes seconds on one slow core
LIMIT = 900.0


def run_bundle(work: Path, command: str, *words: str, source: Path | None = None) -> None:
    """`python -m monai.bundle COMMAND WORDS...` in a directory, blind to the caller's PYTHON* variables.

    Args:
        work: the working directory.
        source: what a refusal names in its place.

    Raises:
        BadInput: it fails, or does not end; quotes its last line.
    """
    # -B: no __pycache__ joins the folder
    line = [sys.executable, "-E", "-B", "-m", "monai.bundle", command, *words]
    try:
        ended = subprocess.run(line, cwd=work, capture_output=True, text=True, timeout=LIMIT)
    except subprocess.TimeoutExpired as error:
        raise BadInput(f"{source or work}: {command} takes more than {LIMIT:.0f} s; try on an idle machine") from error
    if ended.returncode:
        said = [text for text in ended.stderr.splitlines() if re.match(r"\w[\w.]*: ", text)] or ["no message"]
        raise BadInput(f"{source or work}: {command} fails here ({said[-1][:300]}); mend that first")


def segment_slice(folder: Path, output_dir: Path, source: Path | None = None) -> Path:
    """Segment the bundle's `selftest/slice.tif`, from the directory above, and return the path of the mask, a TIFF."""
    config, stack = folder / "configs/inference.json", folder / "selftest/slice.tif"
    run_bundle(
        folder.parent,
        "run",
        *("--config_file", str(config), "--stack", str(stack), "--output_dir", str(output_dir)),
        *("--output_format", "tiff", "--device", "cpu", "--precision", "fp32"),
        source=source,
    )
    return output_dir / "mask.tif"


def export_script(folder: Path) -> None:
    """Write `models/model.ts` through MONAI's ckpt_export."""
    run_bundle(
        folder,
        "ckpt_export",
        *("--net_id", "network_def", "--config_file", "configs/inference.json", "--meta_file", "configs/metadata.json"),
        *("--ckpt_file", "models/model.pt", "--filepath", "models/model.ts"),
    )
