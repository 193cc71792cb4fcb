"""The sentences of the report, made from what was found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from custom.report.tables import AVERAGING
from custom.study.page import Table
from custom.study.plan import NETWORKS, TRAINED


def training_words(found: dict[str, Any]) -> str:
    """Data, split and trainings."""
    slices, budget = found["slices"], found["budget_minutes"]
    recipe = f"{budget:g} minutes of training each" if budget else "the full recipe of the study"
    done = ", ".join(
        f"{network.title} {found['training'][network.name]['epochs']} epochs in "
        f"{found['training'][network.name]['minutes']:.1f} min"
        for network in TRAINED
    )
    return (
        f"Data set {Path(found['dataset_dir']).name}: {slices['train']} slices to train, {slices['val']} to validate and "
        f"{slices['test']} to test. {recipe[0].upper()}{recipe[1:]}, by study.json: {done}. The weights are those of the "
        "epoch of the last quarter with the best Dice on the validation side; the test side was used for nothing but the "
        "figures below."
    )


def about(text: str, several: bool) -> str:
    """A sentence about lithium as one about each of several classes."""
    return text.replace("the lithium", "the classes").replace("lithium", "the class") if several else text


def score_words(rows: dict[str, Any]) -> str:
    """What is averaged, and what the brackets mean."""
    first = rows[NETWORKS[0].name]
    patches, empty = first["scores"]["n_patches"], first["scores"]["n_empty"]
    several = "classes" in first
    words = about("; ".join(f"({key}) {name}: {meaning}" for key, (name, meaning) in AVERAGING.items()), several)
    held = "any class" if several else "lithium"
    blocks = first["blocks"]
    few = " So few blocks make the intervals rough." if blocks < 10 else ""
    if several:
        few += " All are means over the classes; those of each follow."
    return (
        f"{patches} patches of 128 x 128 voxels, {empty} of them without {held} in the label. {words}. In brackets: "
        f"bootstrap 95 % intervals, {blocks} blocks of up to 8 neighbouring slices drawn with replacement.{few}"
    )


def cost_words(rows: dict[str, Any]) -> str:
    """What the times were taken on."""
    first = rows[NETWORKS[0].name]
    size = " x ".join(map(str, first["bulk_size"]))
    count = first["threads"]
    threads = f", {count} thread{'s' if count > 1 else ''}" if first["device"] == "CPU" else ""
    return (
        f"Times on {first['device']}{threads}, medians: one patch at a time, and a slice of {size} voxels as it is "
        "segmented. A multiply-add counts as 2 operations. Members of E-Net with share 0 are not run, which leaves them "
        "out of its operations and times, not out of its parameters."
    )


def search_words(found: dict[str, Any]) -> str:
    """How many blends were tried, on what, and what that means."""
    search = found["enet_search"]
    distinct = "" if search["distinct"] == search["combinations"] else f" ({search['distinct']} distinct mixtures)"
    best = search["best_iou_a"]["blend"]
    shares = ", ".join(f"{share:.2g} {name}" for name, share in best.items() if share)
    return (
        f"{search['combinations']} combinations of shares in steps of 0.1{distinct}, scored on the "
        f"{search['patches']} patches of the validation side. E-Net is the blend of highest mIoU: {shares}. Blended window by "
        f"window, as the evaluate command does it, its mIoU there is {found['enet_on_val']['iou_a']:.4f}. The last "
        "columns show how flat the optimum is: how many blends lie inside the bootstrap 95 % interval of the best one, and "
        "from which to which share of each network they reach."
    )


def search_table(search: dict[str, Any]) -> Table:
    """The best blends by mIoU and by mDSC."""
    names = [network.title for network in TRAINED]
    head = ["best by", *names, "score [95 % interval]", "blends inside", *(f"{name} inside" for name in names)]
    body = []
    for score, title in (("iou_a", "mIoU (a)"), ("dsc_a", "mDSC (a)")):
        best = search[f"best_{score}"]
        low, high = best["interval_95"]
        ranges = [f"{best['range_within'][name][0]:.2g} to {best['range_within'][name][1]:.2g}" for name in names]
        shares = [f"{best['blend'][name]:.2g}" for name in names]
        body.append(
            [
                *(title, *shares, f"{best['value']:.4f} [{low:.4f}, {high:.4f}]"),
                *(f"{best['within_interval']} of {search['distinct']}", *ranges),
            ]
        )
    return Table(head, body)


def stack_words(found: dict[str, Any]) -> str:
    """Which stack, what it was compared with, and what to mind."""
    words = f"Stack {Path(found['stack']).name}, every voxel of it segmented."
    truth, trained = found["table2"]["truth"], found["test_stack_slices_trained_on"]
    if truth:
        what = "volume of each class" if "classes" in truth else "lithium volume"
        words += (
            f" The error compares the {what} with the ground truth's over the {truth['voxels']:,} labelled voxels; the "
            "ground truth's share is that of these voxels."
        )
    if trained:
        words += (
            f" {trained} of its slices are on the training side, so that the error is lower than on an unseen stack."
        )
    return words
