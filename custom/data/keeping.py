"""A data set split as an earlier training had it, whatever was added to it, renamed or drawn anew since."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence

from custom.base.errors import BadInput
from custom.data.hold_out import BLOCKS, SCAN, side_of_scans
from custom.data.known import Known
from custom.data.sides import Item, Place, Split, place_of
from custom.data.splits_json import LONG, SIDES

logger = logging.getLogger("data")
Sides = Mapping[str, Sequence[Item]]


def keep_sides(
    items: Sequence[Item],
    known: Known,
    draw: Callable[[Sequence[Item]], Sides],
    listed: bool,
    new: str,
    folder: str,
    resumed: bool = False,
    hold_out: str = BLOCKS,
) -> Split:
    """Split as the training that `known` tells of; slices that it did not know go to `new`, or as splits.json says.

    Where whole scans are held out, in that training or now, they go where their scan is. A data set that shares no slice with it is split by itself, and so are the slices that are new where a training that
    begins with the weights would have none to validate on.

    Args:
        items: the labelled slices, with their digests.
        known: what the records of the weights, or of the checkpoint, tell.
        draw: the own split of slices.
        listed: whether splits.json decides on that.
        new: the side of the slices that are new.
        folder: the data set's, for what is said.
        resumed: whether that training is to go on.
        hold_out: what the own split holds out.

    Raises:
        BadInput: it is to go on with nothing left of its slices, without its validation side, or with other scans.
    """
    seen = _seen(items, known, folder)
    if not seen:
        if known.stems:
            return _by_stems(items, known, draw(items), folder)
        if resumed:
            raise BadInput(
                f"{folder}: holds none of the slices that this training was begun with; give their --dataset_dir, or begin "
                "another training with --weights and another --output_dir"
            )
        namesakes = _told_of_namesakes(items, known, folder)
        return Split(draw(items), None if namesakes else {}, "the data set's own", hold_out=hold_out)
    _check_scans(items, known, folder, resumed)
    added = [item for item in items if place_of(item) not in seen]
    lacks_val = new == "train" and not resumed and "val" not in seen.values() and len(added) > 1
    own = draw(items) if listed else draw(added) if lacks_val else {new: added}
    side_of = {place_of(item): side for side in own for item in own[side]}
    held_out = SCAN if SCAN in (hold_out, known.hold_out) else BLOCKS
    if held_out == SCAN and not listed:
        side_of |= side_of_scans(items, seen)
    sides: dict[str, list[Item]] = {side: [] for side in SIDES}
    for item in items:
        side = seen.get(place_of(item)) or side_of.get(place_of(item))
        if side:
            sides[side].append(item)
    _tell(folder, added, sides, side_of, seen)
    if resumed:
        _check_what_is_left(items, known, sides, folder)
    return Split(sides, seen, "that of the training", len(added), held_out)


def _seen(items: Sequence[Item], known: Known, folder: str) -> dict[Place, str]:
    """The sides of the slices that are known by what they hold, and by name where the data set is the same one."""
    by_content = {place_of(item): side for item in items if (side := known.content(item))}
    by_name = {place_of(item): side for item in items if (side := known.side(item))}
    renewed = {place for place in by_name if place not in by_content and place in known.places}
    if by_content or (renewed and known.same_folder(folder)):
        told = [item for item in items if place_of(item) in renewed and item["digest"]]
        if told:
            logger.warning(
                "%s: %d slices have the name of one that was trained, validated or tested on and other grey values (%s "
                "first); they stay on its side.",
                folder,
                len(told),
                _words(told[0]),
            )
        return by_name
    return {}


def _check_scans(items: Sequence[Item], known: Known, folder: str, resumed: bool) -> None:
    """Compare which files are told to be of one scan, and so have one grey window, as far as the training had them."""
    before, now = {stem for (stem, _), _ in known.own}, {str(item["stem"]) for item in items}
    scans: dict[str, set[str]] = {}
    for item in items:
        if "scan" in item and item["stem"] in before:
            scans.setdefault(item["scan"], set()).add(str(item["stem"]))
    if {frozenset(files) for files in scans.values()} == {files & now for files in known.told_scans() if files & now}:
        return
    if resumed:
        raise BadInput(
            f"{folder}: scans.json does not tell the scans that this training was begun with, so that it would go on with other "
            "grey windows; put it back as it was, or take it away if there was none, or begin another training with --weights and another "
            "--output_dir"
        )
    logger.warning(
        "%s: scans.json does not tell the scans that the weights were trained with, so that slices have other grey windows "
        "than then.",
        folder,
    )


def _told_of_namesakes(items: Sequence[Item], known: Known, folder: str) -> int:
    """How many slices of what is taken for another data set bear names that are known, which is told."""
    namesakes = sum(place_of(item) in known.places for item in items)
    if namesakes:
        logger.warning(
            "%s: %d slices have the names of slices that the weights know, and none the same grey values: this is taken "
            "for another data set; if it is the same one exported anew, its scores are of slices that were trained on.",
            folder,
            namesakes,
        )
    return namesakes


def _words(item: Item) -> str:
    stem, z = place_of(item)
    return f"{stem}, slice {z}"


def _tell(
    folder: str, added: Sequence[Item], sides: Sides, side_of: Mapping[Place, str], seen: Mapping[Place, str]
) -> None:
    places = {place_of(item) for item in added}
    counts = {side: sum(place_of(item) in places for item in sides[side]) for side in SIDES}
    told = [f"{count} on the {LONG[side]} side" for side, count in counts.items() if count]
    if left := len(added) - sum(counts.values()):
        told.append(f"{left} on none, for splits.json does not list them")
    if added:
        logger.info(
            "%s: split as in the training; %d slices are new since then and count: %s.",
            folder,
            len(added),
            ", ".join(told),
        )
    others = [place for place, side in side_of.items() if seen.get(place, side) != side]
    if others:
        logger.warning(
            "%s: splits.json has %d slices on another side than the training had; the training's counts.",
            folder,
            len(others),
        )


def _check_what_is_left(items: Sequence[Item], known: Known, sides: Sides, folder: str) -> None:
    places, contents = {place_of(item) for item in items}, {item["digest"] for item in items}
    gone = sorted(place for place, digest in known.own if place not in places and digest not in contents)
    for side in ("train", "val"):
        if not any(known.side(item) for item in sides[side]):
            raise BadInput(
                f"{folder}: none of the {LONG[side]} slices that this training was begun with is there any more; put them "
                "back, or begin another training with --weights and another --output_dir"
            )
    if gone:
        logger.warning(
            "%s: %d slices that this training was begun with are gone (%s, slice %d first); it goes on without them.",
            folder,
            len(gone),
            *gone[0],
        )


def _by_stems(items: Sequence[Item], known: Known, own: Sides, folder: str) -> Split:
    """The own split of a data set under a record that names files alone: what it names is put on its side."""
    seen = {place_of(item): side for item in items if (side := known.stems.get(str(item["stem"])))}
    sides: dict[str, list[Item]] = {side: [] for side in SIDES}
    for side in own:
        for item in own[side]:
            sides[seen.get(place_of(item), side)].append(item)
    unclear = {str(item["stem"]) for item in items if known.stems.get(str(item["stem"]), "") is None}
    if not unclear:
        return Split(sides, seen, "the data set's own" if not seen else "that of the training, by file")
    logger.warning(
        "%s: the record of the weights says of %d stacks (%s first) that they were trained and validated on, not with "
        "which slices; the split by --seed is taken for theirs.",
        folder,
        len(unclear),
        min(unclear),
    )
    return Split(sides, None, "the data set's own")
