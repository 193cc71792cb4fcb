"""Note what the slices look like that weights were trained on, in the JSON beside weights that are older than such notes.

`python scripts/note_reference.py --weights bundle/models/unet.safetensors --network unet --dataset_dir data/a data/b` looks at the
slices of these data sets that the record names, and changes `guard` and `expected_dice_error` of the JSON, nothing else.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch
from monai.transforms import Compose

from custom.base.errors import BadInput
from custom.base.readable import readable_streams
from custom.command_line.options import GivenPath
from custom.data import Reading, SliceDataset, labelled_slices
from custom.data.known import Known
from custom.guard import reference_of
from custom.inferers import SliceInferer
from custom.metrics import ExpectedDiceError
from custom.report import write_json
from custom.sharing.fitting import declared_network
from custom.transforms import GreyWindowd, LoadStackd
from custom.weights.records import record_beside

Items = list[dict[str, Any]]


def sides(record: dict[str, Any], folders: list[Path]) -> dict[str, Items]:
    """The slices of some data sets that the record names as those to train on and to validate on.

    Raises:
        BadInput: fewer than the record names.
    """
    classes = tuple(record.get("classes") or ("lithium",))
    reading = Reading(**{**(record.get("reading") or {}), "classes": classes})
    window, known = record["grey_window"], Known([record])
    found: dict[str, Items] = {"train": [], "val": []}
    for folder in folders:
        for item in labelled_slices(folder, window["percentiles"], window["fixed"], reading):
            side = known.contents.get(item["digest"])
            if side in found:
                found[side].append(item)
    wanted = sum(side in found for side in known.contents.values())
    if sum(map(len, found.values())) != wanted:
        raise BadInput(
            f"{folders[0]}: {sum(map(len, found.values()))} of the {wanted} slices that the weights know are here; give "
            "--dataset_dir all data sets that they were trained on"
        )
    return found


@torch.no_grad()
def error_at_validation(network: torch.nn.Module, items: Items, side: int) -> float:
    """`ExpectedDiceError` of the weights over slices."""
    chain = Compose([LoadStackd(["image", "label"]), GreyWindowd("image")])
    metric, inferer = ExpectedDiceError(), SliceInferer(side)
    slices: Any = SliceDataset(items, chain, cache_rate=0.0)
    for item in (slices[place] for place in range(len(slices))):
        metric(inferer(torch.as_tensor(item["image"])[None], network.eval()), torch.as_tensor(item["label"])[None])
    return float(metric.aggregate())


def main() -> int:
    readable_streams()
    parser = argparse.ArgumentParser(
        description="Note in the JSON beside weights what their training's slices look like."
    )
    parser.add_argument("--weights", action=GivenPath, required=True)
    parser.add_argument("--network", help="NAME of a network_NAME.json; by default the network of inference.json")
    parser.add_argument("--dataset_dir", action=GivenPath, nargs="+", required=True, help="what they were trained on")
    given = parser.parse_args()
    try:
        record, fault = record_beside(Path(given.weights))
        if record is None:
            raise BadInput(f"{given.weights}: {fault}; give weights with the record of their training")
        found = sides(dict(record), [Path(folder) for folder in given.dataset_dir])
        classes = len(record.get("classes") or ("lithium",))
        noted = {**record, "guard": reference_of(found["train"], classes)}
        if classes == 1:
            network, side = declared_network(given.network, [given.weights])
            missed = error_at_validation(network, found["val"], side)
            noted["validation"] = {**(record.get("validation") or {}), "expected_dice_error": missed}
        write_json(Path(given.weights).with_suffix(".json"), noted)
    except BadInput as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{Path(given.weights).with_suffix('.json')}: {len(found['train'])} slices looked at")
    return 0


if __name__ == "__main__":
    sys.exit(main())
