"""What weights are to be used with: the settings that their training noted."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from custom.base.classes import LITHIUM, class_names
from custom.base.errors import BadInput
from custom.weights.label_maps import check_goes_on, map_of_training
from custom.weights.tensors import WeightsPath, load_weights, sha256, start_from

logger = logging.getLogger("weights")
Record = Mapping[str, Any]
Window = dict[str, Any]  # percentiles and fixed, as in the configs


@dataclass(frozen=True)
class Trained:
    """The records of the weights that are used, of each member's in an ensemble, or of the checkpoint that goes on.

    Attributes:
        by_file: each file that has a record, and the record.
        resumed: whether it is a training that goes on, whose state fits no other settings.
        weights: their file, or one for each member; None: a training that begins with none.
    """

    by_file: tuple[tuple[str, Record], ...] = ()
    resumed: bool = False
    weights: WeightsPath | Sequence[WeightsPath] | None = None

    @property
    def records(self) -> list[Record]:
        """The records alone."""
        return [record for _, record in self.by_file]

    def sha256(self) -> str | list[str] | None:
        """The digest of the weights, or of each member's.

        Raises:
            BadInput: a missing file.
        """
        return None if self.weights is None else sha256(self.weights)

    def load(self, network: torch.nn.Module, classes: Sequence[str]) -> torch.nn.Module:
        """The network with the weights, see `load_weights`.

        Args:
            network: takes them as they are.
            classes: what it was built for.
        """
        return load_weights(network, self.weights, classes)

    def start(self, network: torch.nn.Module, classes: Sequence[str]) -> torch.nn.Module:
        """The same for a training, whose network is as it was initialised where it begins with no weights."""
        return start_from(network, self.weights, classes)

    def patch_size(self, otherwise: int) -> int:
        """The side of the patches of the training; `otherwise` where there is no record of it.

        Raises:
            BadInput: the members of an ensemble differ.
        """
        found = self._one("patch_size", [(file, record.get("patch_size")) for file, record in self.by_file])
        return int(found or otherwise)

    def window(self, given: Window, otherwise: Window) -> Window:
        """The settings of the grey window: given ones, else those of the training, else `otherwise`.

        Args:
            given: ``percentiles`` and ``fixed`` as the user gave them, None or nothing where not.
            otherwise: both, for what nothing is known of.

        Raises:
            BadInput: a training that goes on with another window, or members of an ensemble that differ.
        """
        noted = [(file, record["grey_window"]) for file, record in self.by_file if record.get("grey_window")]
        percentiles, fixed = given.get("percentiles"), given.get("fixed")
        if percentiles is None and fixed is None:
            chosen = self._one("grey_window#percentiles", noted) or otherwise
            return {key: chosen[key] for key in ("percentiles", "fixed")}
        wanted = {"percentiles": percentiles or otherwise["percentiles"], "fixed": fixed}
        for file, window in noted:
            if _ends(window) != _ends(wanted):
                self._contradict(file, f"with the grey window {_in_words(window)}", _key(wanted), _in_words(wanted))
                break
        return wanted

    def classes(self, given: Any) -> list[str]:
        """What is looked for, in the order of the label values: what is given, else what the training looked for.

        Without either it is lithium alone. A list, since it stands in configs and records.

        Raises:
            BadInput: names that cannot be; weights, or a training that goes on, of other classes or another order.
        """
        noted = [(file, list(record.get("classes") or LITHIUM)) for file, record in self.by_file]
        found = list(class_names(given)) if given is not None else noted[0][1] if noted else list(LITHIUM)
        for file, classes in noted:
            if classes != found and given is None:
                raise BadInput(
                    f"{file}: was trained for the classes {classes} and {noted[0][0]} for {found}; blend weights of the same "
                    "classes in the same order"
                )
            if classes != found:
                raise BadInput(
                    f"{file}: was trained for the classes {classes}, and --classes gives {found}; leave --classes away, or give "
                    + ("another --output_dir" if self.resumed else "weights of these classes in this order")
                )
        return found

    def label_map(self, given: Mapping[Any, Any] | None, evaluating: bool = False) -> Mapping[Any, Any] | None:
        """How the values of labels are read: as given, else as the training that goes on, or is evaluated, read them.

        Labels that a new training starts from other weights with may be another tool's.

        Raises:
            BadInput: members of an ensemble whose maps contradict each other.
        """
        return given if given is not None or not (self.resumed or evaluating) else map_of_training(self.by_file)

    def label_folder(self, given: str | None, evaluating: bool = False) -> str:
        """Where the labels lie beside images/: as given, else as the training that goes on, or is evaluated, had it.

        Without either that is "labels".

        Raises:
            BadInput: members of an ensemble that were trained on labels of different folders.
        """
        if given is not None or not (self.resumed or evaluating):
            return "labels" if given is None else given
        noted = [(file, _folder_in(record.get("reading") or {})) for file, record in self.by_file]
        for file, folder in noted[1:]:
            if folder != noted[0][1]:
                raise BadInput(
                    f"{file}: was trained on labels in {folder}/ and {noted[0][0]} on those in {noted[0][1]}/; give "
                    "--label_folder with the one that holds what is to be scored"
                )
        return noted[0][1] if noted else "labels"

    def check(self, patch_size: int) -> None:
        """Compare the patch size that was given with the records.

        Raises:
            BadInput: a training that goes on with another one.
        """
        for file, record in self.by_file:
            noted = record.get("patch_size")
            if noted is not None and int(noted) != int(patch_size):
                self._contradict(file, f"on patches of {noted}", "patch_size", str(patch_size))
                break

    def check_seed(self, seed: int) -> None:
        """Compare the seed of the split with the records.

        Raises:
            BadInput: a training whose record holds no split goes on with another seed.
        """
        for file, record in self.by_file if self.resumed else ():
            if "split" not in record and record.get("seed", seed) != seed:
                raise BadInput(
                    f"{file}: does not hold its split, which --seed {record['seed']} drew; give that in place of --seed {seed}"
                )

    def check_reading(self, given: Mapping[str, Any]) -> None:
        """Compare how labels are read with the records.

        Args:
            given: the keys of `custom.data.Reading` that this run was given.

        Raises:
            BadInput: a training that goes on with other labels or another meaning of their values.
        """
        for file, record in self.by_file if self.resumed else ():
            self._check_labels(file, record.get("reading") or {}, given)
            check_goes_on(file, record, given)

    def _check_labels(self, file: str, noted: Mapping[str, Any], given: Mapping[str, Any]) -> None:
        """A key that either lacks may have led to the same labels; two that differ do not."""
        if (before := _folder_in(noted)) != (now := _folder_in(given)):
            raise BadInput(
                f"{file}: this training was begun with the labels in {before}/, and --label_folder gives {now}; leave "
                "--label_folder away, or give another --output_dir"
            )
        for key in ("label_key", "label_index", "label_255"):
            if key in noted and key in given and _plain(noted[key]) != _plain(given[key]):
                raise BadInput(
                    f"{file}: this training was begun with --{key} {noted[key]}, and now it is {given[key]}; give --{key} "
                    f"{noted[key]} again, or another --output_dir"
                )

    def _contradict(self, file: str, noted: str, key: str, given: str) -> None:
        if self.resumed:
            raise BadInput(
                f"{file}: this training was begun {noted}, and --{key} gives {given}; leave --{key} away, or give "
                "another --output_dir"
            )
        logger.warning("%s: was trained %s, and --%s gives %s, which is taken.", file, noted, key, given)

    def _one(self, key: str, noted: Sequence[tuple[str, Any]]) -> Any:
        """What all files say; None where none says anything."""
        told = [(file, value) for file, value in noted if value]
        for file, value in told[1:]:
            if _ends(value) != _ends(told[0][1]):
                raise BadInput(
                    f"{file}: was trained with {_in_words(value)} and {told[0][0]} with {_in_words(told[0][1])} "
                    f"({key.partition('#')[0]}); blend weights of one setting, or give --{key} to run both with the same"
                )
        return told[0][1] if told else None


def _ends(setting: Any) -> Any:
    """What two settings agree in: a patch size, or the ends of a window; what is no window is refused elsewhere."""
    if not isinstance(setting, Mapping):
        return setting
    fixed = setting.get("fixed") is not None
    ends = setting["fixed"] if fixed else setting.get("percentiles")
    try:
        return fixed, [float(end) for end in ends or ()]
    except (TypeError, ValueError):
        return fixed, [str(ends)]


def _folder_in(reading: Mapping[str, Any]) -> str:
    return str(reading.get("label_folder") or "labels")


def _plain(value: Any) -> Any:
    """`/labels` and `labels`, and 1 and [1], are the same array."""
    return value.strip("/") if isinstance(value, str) else list(value) if isinstance(value, Sequence) else [value]


def _key(window: Window) -> str:
    return "grey_window#fixed" if window["fixed"] is not None else "grey_window#percentiles"


def _in_words(setting: Any) -> str:
    if not isinstance(setting, Mapping):
        return f"patches of {setting}"
    fixed, ends = _ends(setting)
    return ("" if fixed else "percentiles ") + " to ".join(end if isinstance(end, str) else f"{end:g}" for end in ends)
