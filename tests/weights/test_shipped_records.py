"""The records of the weights that are shipped tell which slices they know, also when these come back under other names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from custom.data.known import Known, known_slices

MODELS = Path(__file__).parents[2] / "bundle" / "models"


@pytest.mark.parametrize("record", sorted(MODELS.glob("*.json")), ids=lambda path: path.stem)
def test_every_slice_is_known_by_its_grey_values(record: Path) -> None:
    told = json.loads(record.read_text(encoding="utf-8"))
    slices = list(known_slices(told))
    assert {side: sorted({stem for s, stem, _, _ in slices if s == side}) for side in ("train", "val")} == {
        side: told[side] for side in ("train", "val")
    }
    digests = [digest for side, _, _, digest in slices if side != "test"]
    assert len(digests) == len(set(digests)) == 24 * len(told["train"] + told["val"]) and all(map(len, digests))
    known = Known([told])
    assert all(known.contents[digest] == side for side, _, _, digest in slices)
