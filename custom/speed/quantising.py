"""A network in 8 bits by NNCF, a library for that: kept only if its masks stay those of the network."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import redirect_stdout
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor, nn

from custom.base.errors import BadInput
from custom.base.files import complete_file
from custom.speed.folding import fold_batch_norm
from custom.speed.openvino import Engine, converted, has_openvino, library
from custom.speed.quantised import LEAST_DICE, digest, place_of

logger = logging.getLogger("quantise")
WINDOWS = 288  # that it is calibrated on, at most


def quantise(
    network: nn.Module,
    inferer: Any,
    calibration: Sequence[Any],
    held_out: Sequence[Any],
    classes: Sequence[str],
    weights: Any,
    dataset_dir: str,
    overwrite: bool = False,
) -> None:
    """Make ``model.int8.xml``, its ``.bin`` and ``.json`` beside ``model.pt``, for ``--engine int8``.

    The convolution that gives the logits stays as it is. What is made is run on slices that it was not calibrated on, and
    kept where its masks, at a threshold of .5, have a Dice of .999 at least to those of the network in fp32, each class.

    Args:
        network: with its weights, on the CPU.
        inferer: a `SliceInferer`, which cuts windows and blends them as at segmentation.
        calibration: items with an image (C, Y, X) in [0, 1], of the training.
        held_out: other ones.
        classes: their names, in the order of the channels.
        weights: knows the path of the network's weights and their digest, as `Trained` does.
        dataset_dir: where the slices come from, for the record.
        overwrite: whether what is there may be replaced.

    Raises:
        BadInput: what is needed is not installed, the network is not on the CPU, there are results, the weights are those of
            several networks, nothing is found in the slices, or the masks differ.
    """
    path = place_of(weights.weights)
    check_before(path, overwrite, next(network.parameters()).device)
    network.eval()
    shape = (inferer.sw_batch_size, 1, *inferer.roi_size)
    wanted = [_mask(inferer(_volume(item), network)) for item in held_out]
    windows = _windows(inferer, calibration)
    logger.info("Calibrating on %d windows of %d slices.", len(windows), len(calibration))
    fold_batch_norm(network, (1, *shape[1:]))
    model = _in_8_bits(converted(network, shape), windows, shape[0])
    engine = Engine(model, shape[0], "auto")
    found = [_mask(inferer(_volume(item), engine)) for item in held_out]
    dice = {name: _dice(found, wanted, value) for value, name in enumerate(classes, 1)}
    missing = [name for name, agreed in dice.items() if agreed is None]
    if missing:
        raise BadInput(
            f"--dataset_dir: in its {len(held_out)} slices nothing is found of {missing}; give slices that hold some"
        )
    least = min(agreed for agreed in dice.values() if agreed is not None)
    if not least >= LEAST_DICE:
        raise BadInput(
            f"{weights.weights}: in 8 bits its masks have a Dice of {least:.4f} to those of fp32 on {len(held_out)} slices, below "
            f"{LEAST_DICE}; nothing was written, give --engine openvino"
        )
    told = {
        "weights_sha256": weights.sha256(),
        "window": list(shape[1:]),
        "dice_to_fp32": {name: round(agreed, 5) for name, agreed in dice.items() if agreed is not None},
        "dataset_dir": dataset_dir,
        "slices": {"calibration": len(calibration), "held_out": len(held_out)},
        "windows": len(windows),
        "made_by": {name: version(name) for name in ("nncf", "openvino", "torch")},
    }
    write(model, path, told)
    logger.info("%s: Dice to fp32 %s on %d slices; --engine int8 runs it.", path, told["dice_to_fp32"], len(held_out))


def check_before(path: Path, overwrite: bool, device: torch.device) -> None:
    """Refuse what cannot be before anything takes time.

    Raises:
        BadInput: as `quantise`.
    """
    if device.type != "cpu":
        raise BadInput(f"--device {device}: 8 bits are made and run on a CPU; leave --device away, or give cpu")
    if not (has_openvino() and find_spec("nncf")):
        raise BadInput("quantise.json: takes OpenVINO and NNCF; pip install openvino nncf")
    if path.with_suffix(".json").exists() and not overwrite:
        raise BadInput(f"{path}: is there already; give --overwrite true to replace it")


def write(model: Any, path: Path, told: dict[str, Any]) -> None:
    """The record last: without it the other two are nothing."""
    path.with_suffix(".json").unlink(missing_ok=True)
    with TemporaryDirectory() as folder:
        made = Path(folder) / path.name  # OpenVINO insists on the suffix
        library().serialize(model, str(made), str(made.with_suffix(".bin")))
        for suffix in (".bin", ".xml"):
            with complete_file(path.with_suffix(suffix)) as part:
                part.write_bytes(made.with_suffix(suffix).read_bytes())
    with complete_file(path.with_suffix(".json")) as part:
        part.write_text(json.dumps({"sha256": digest(path), **told}, indent=2) + "\n", encoding="utf-8")


def _volume(item: Any) -> Tensor:
    """(1, C, Y, X) of an item's image."""
    return torch.as_tensor(item["image"]).as_subclass(Tensor)[None].float()


def _mask(logits: Tensor) -> Tensor:
    """(Y, X) of whole numbers: 0, or the class whose logit is the largest, of one class where it is above 0."""
    return (logits[0, 0] > 0).long() if logits.shape[1] == 1 else logits[0].argmax(0)


def _dice(found: Iterable[Tensor], wanted: Iterable[Tensor], value: int) -> float | None:
    pairs = [(one == value, other == value) for one, other in zip(found, wanted, strict=True)]
    total = sum(int(one.sum() + other.sum()) for one, other in pairs)
    return 2 * sum(int((one & other).sum()) for one, other in pairs) / total if total else None


def _windows(inferer: Callable[..., Tensor], slices: Sequence[Any]) -> Tensor:
    """Some windows (n, C, Y, X) of the slices, as many of each as the inferer gives, drawn by a fixed seed."""
    drawn = torch.Generator().manual_seed(0)
    kept = []
    for item in slices:
        seen: list[Tensor] = []

        def look(windows: Tensor, seen: list[Tensor] = seen) -> Tensor:
            seen.append(windows.clone())
            return windows[:, :1]

        inferer(_volume(item), look)
        of_slice = torch.cat(seen)
        kept.append(of_slice[torch.randperm(len(of_slice), generator=drawn)[: -(-WINDOWS // len(slices))]])
    found = torch.cat(kept)
    return found[torch.randperm(len(found), generator=drawn)[:WINDOWS]]


def _in_8_bits(model: Any, windows: Tensor, batch: int) -> Any:
    """NNCF's model of OpenVINO's: weights in equal steps about 0, maps in steps of their own range, biases corrected layer by layer."""
    library()
    import nncf

    logging.getLogger("nncf").setLevel(logging.ERROR)  # not its handlers: some may be those of others too
    last = [part.get_friendly_name() for part in model.get_ordered_ops() if "Convolution" in part.get_type_name()][-1:]
    taken = torch.arange(-(-len(windows) // batch) * batch) % len(windows)  # the first ones fill the last batch
    batches = [part.contiguous().numpy() for part in windows[taken].split(batch)]
    with redirect_stdout(sys.stderr):  # its progress bars
        return nncf.quantize(
            model,
            nncf.Dataset(batches),
            preset=nncf.QuantizationPreset.MIXED,
            fast_bias_correction=False,
            subset_size=len(batches),
            ignored_scope=nncf.IgnoredScope(names=last),
        )
