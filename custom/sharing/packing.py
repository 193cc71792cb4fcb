"""A bundle as one file."""

from __future__ import annotations

import json
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from custom.base.errors import BadInput
from custom.base.files import complete_file
from custom.sharing.archive import write_sums, write_zip
from custom.sharing.describing import describe
from custom.sharing.fitting import fitting_network
from custom.sharing.layout import Source, here
from custom.sharing.naming import package_name
from custom.sharing.program import write_program
from custom.sharing.record import classes_of, metadata_of, read_record
from custom.sharing.running import export_script, segment_slice
from custom.sharing.script import without_traces
from custom.sharing.signature import sign
from custom.sharing.staging import stage


@dataclass(frozen=True)
class Statements:
    """What the packer states in place of what would be said otherwise; None leaves that."""

    version: str | None = None
    trained_on: str | None = None
    authors: str | None = None


def pack_bundle(
    output: Path,
    weights: Path | None = None,
    name: str | None = None,
    network: Path | None = None,
    statements: Statements | None = None,
    bioimageio: bool = False,
    key: Path | None = None,
) -> Path:
    """Write a bundle as a zip and return its path; the same files, weights and versions give the same bytes.

    Before it is written, the bundle segments its self-test slice in a process of its own, which gives the expected mask.

    Args:
        output: the zip; its parent folders are made and a file of this name is replaced.
        weights: what a training wrote, beside its model.json; by default the shipped weights.
        name: names the folder and the Python package; by default the zip's name.
        network: the network_*.json that the weights were trained with, where it is none of the bundle's.
        statements: replace what metadata.json would state.
        bioimageio: whether it gets the description of a model of bioimage.io too, see `describe`.
        key: an EC private key that it is signed with, see `sign`; two signatures of the same files differ.

    Raises:
        BadInput: the name cannot be a package's, the weights fit no network, their record is missing, the bundle does
            not run, or the zip cannot be written.
    """
    if output.suffix != ".zip":
        raise BadInput(f"{output}: a bundle is packed as a zip; give --output a name that ends in .zip")
    source = here()
    package = package_name(name or output.stem, source.name)
    shipped = source.bundle / "models/model.pt"
    chosen = weights or shipped
    record = read_record(chosen)
    changes = settings_of(source, chosen, record, network)
    base = json.loads((source.bundle / "configs/metadata.json").read_text(encoding="utf-8"))
    told = statements or Statements()
    own = chosen.resolve() == shipped.resolve()
    meta = metadata_of(base, record, own, told.version, told.trained_on, told.authors)
    # the zip's name is taken before what takes long
    with complete_file(output) as part, tempfile.TemporaryDirectory(prefix="pack_") as aside:
        folder = Path(aside) / package
        stage(source, folder, chosen, changes, meta)
        _compute(folder, Path(aside) / "result")
        built = write_program(folder, classes_of(record))
        if bioimageio:
            describe(folder, classes_of(record), built)
        write_sums(folder)
        if key is not None:
            sign(folder, key)
        write_zip(folder, part)
    return output


def settings_of(source: Source, weights: Path, record: dict[str, Any], network: Path | None) -> dict[str, Any]:
    """The keys of train.json and inference.json that weights decide: network, patch size and grey window."""
    patch_size = int(record.get("patch_size", 128))
    network_def = fitting_network(source, weights, patch_size, classes_of(record), network)
    changes = {"default_patch_size": patch_size, "network_def": network_def}
    if "grey_window" in record:
        changes["default_window"] = record["grey_window"]
    return changes


def _compute(folder: Path, result: Path) -> None:
    # both spend most of their time importing
    with ThreadPoolExecutor(2) as pool:
        exported, segmented = pool.submit(export_script, folder), pool.submit(segment_slice, folder, result)
        exported.result()
        mask = segmented.result()
    without_traces(folder / "models/model.ts")
    shutil.copyfile(mask, folder / "selftest/mask.tif")
