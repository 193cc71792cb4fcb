"""Lays out the JSON files of bundle/configs as the tests want them: `python tests/format_configs.py`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from custom.sharing.json_text import json_text  # noqa: E402

if __name__ == "__main__":
    for path in sorted((ROOT / "bundle/configs").glob("*.json")):
        path.write_text(json_text(json.loads(path.read_text(encoding="utf-8"))), encoding="utf-8")
