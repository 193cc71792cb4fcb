"""Whether the slices of a folder of labels are those of the folder of its image, by the numbers in their names."""

from __future__ import annotations

from custom.base.errors import BadInput
from custom.stack import Stack
from custom.stack.numbering import first_out_of_step, number_key
from custom.stack.warn import warn_once


def check_numbers(image: Stack, label: Stack) -> None:
    """Compare the names of both folders' slices, which are paired in order; stacks in one file have none.

    Raises:
        BadInput: their numbers go on differently.
    """
    if not image.path.is_dir() or not label.path.is_dir() or not len(image.files) == len(label.files) == image.shape[0]:
        return
    z = first_out_of_step(image.files, label.files)
    if z is not None:
        raise BadInput(
            f"{label.files[z]}: is slice {z} of the labels but by its number not that of {image.files[z].name}, slice {z} of "
            f"the images in {image.path}; give both folders the same slices under the same numbers"
        )
    _warn_of_shift(image, label)


def _warn_of_shift(image: Stack, label: Stack) -> None:
    """Counted from another number, names that both folders have stand for different slices."""
    place = {number_key(file.stem): z for z, file in enumerate(image.files)}
    shared = [(z, place[key]) for z, file in enumerate(label.files) if (key := number_key(file.stem)) in place]
    shifted = [(z, other) for z, other in shared if z != other]
    if shifted:
        z, other = shifted[0]
        warn_once(
            f"{label.path}: its slices are numbered from {label.files[0].name} and those of {image.path} from "
            f"{image.files[0].name}; they are paired in order, so that {len(shifted)} names that are in both belong to "
            f"different slices ({label.files[z].name} is slice {z} of the labels and {other} of the images): look at an "
            "overlay, and give both folders the same names if that is wrong."
        )
