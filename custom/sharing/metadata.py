"""metadata.json against MONAI's schema, which travels along so that nothing is downloaded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft201909Validator

from custom.base.errors import BadInput

SCHEMA = Path(__file__).with_name("meta_schema_20240725.json")


def check_metadata(path: Path, meta: Any) -> dict[str, Any]:
    """The metadata of a bundle, found to follow MONAI's schema and to tell its version.

    Args:
        path: the bundle, for the refusal.
        meta: the parsed metadata.json.

    Raises:
        BadInput: the first fault.
    """
    validator = Draft201909Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
    for fault in sorted(validator.iter_errors(meta), key=lambda found: list(map(str, found.path))):
        where = ".".join(map(str, fault.path)) or "it"
        raise BadInput(f"{path}: metadata.json is not valid ({where}: {fault.message[:120]}); ask for a mended bundle")
    if meta["version"] not in meta.get("changelog", {}):
        raise BadInput(f"{path}: metadata.json has no changelog of version {meta['version']}; ask for a mended bundle")
    return dict(meta)
