"""The tree that MONAI's `push_to_hf_hub` would upload is a bundle that works where it is downloaded."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import cli
import monai.bundle
import numpy as np
import packs
import tifffile
from packs import NAME


class Hub:
    """Stands for the hub's `HfApi`: keeps what it is told, in a folder."""

    folder: Path
    told: dict[str, Any]

    def __init__(self, token: str | None = None) -> None:
        self.told.clear()

    def create_repo(self, **told: Any) -> None:
        self.told["repo"] = told

    def upload_folder(self, repo_id: str, folder_path: str) -> str:
        shutil.copytree(folder_path, self.folder)
        return repo_id

    def create_tag(self, **told: Any) -> None:
        self.told["tag"] = told


def test_the_tree_works_where_it_is_downloaded(packed: Path, tmp_path: Path) -> None:
    here = packs.unpacked(packed, tmp_path / "here")
    Hub.folder, Hub.told = tmp_path / "there" / NAME, {}
    with patch("monai.bundle.scripts.huggingface_hub", SimpleNamespace(HfApi=Hub)):
        monai.bundle.push_to_hf_hub(f"me/{NAME}", NAME, str(here.parent), version="0.1.0")
    assert Hub.told["repo"]["private"] and Hub.told["tag"]["tag"] == "0.1.0"
    there = Hub.folder
    card = (there / "README.md").read_text()
    assert card.startswith("---\ntags:\n- monai") and "license: apache-2.0" in card
    assert card.endswith((there / "docs/README.md").read_text())
    sums = dict(line.split("  ")[::-1] for line in (there / "SHA256SUMS").read_text().splitlines())
    files = {path.relative_to(there).as_posix() for path in there.rglob("*") if path.is_file()}
    assert files == set(sums) | {"SHA256SUMS", "README.md"}
    assert all(hashlib.sha256((there / name).read_bytes()).hexdigest() == digest for name, digest in sums.items())
    words = ["run", "--config_file", "configs/inference.json", "--stack", "selftest/slice.tif", "--output_dir", "runs"]
    ended = cli.bundle_words([*words, "--output_format", "tiff", "--device", "cpu", "--precision", "fp32"], there)
    packs.forget(NAME)
    assert ended.code == 0, ended.error
    found, wanted = tifffile.imread(there / "runs/mask.tif"), tifffile.imread(there / "selftest/mask.tif")
    assert found.any() and np.array_equal(found, wanted)
