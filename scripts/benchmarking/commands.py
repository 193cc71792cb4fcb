"""A command of the documents, as the benchmarks give it."""

from __future__ import annotations

from pathlib import Path

from custom.base.errors import BadInput
from custom.running.bundle import run_bundle

ROOT = Path(__file__).resolve().parents[2]
SEGMENTING = "['bundle/configs/inference.json','bundle/configs/network_unet.json']"
MEASURING = "bundle/configs/measure.json"


def bundle(config: str, log: Path, **options: object) -> None:
    """One command of the documents, here in the project's root; what it says is added to a file.

    Raises:
        BadInput: it failed.
    """
    words = ["run", "--config_file", config, *[str(word) for key in options for word in (f"--{key}", options[key])]]
    with log.open("a", encoding="utf-8") as file:
        if code := run_bundle(words, ROOT, file):
            raise BadInput(f"{log}: a command ended with {code}; the reason stands at its end")
