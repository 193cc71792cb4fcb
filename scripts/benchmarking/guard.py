"""What the guard and the expected Dice of a segmentation are worth, with the shipped U-Net.

`python scripts/benchmarking/guard.py --own data/own --hard data/hard --foreign scans/a.tif scans/b --output_dir runs/guard` segments
cells of the default phantom, cells of the hard one as they are and made worse in 8 ways of 5 strengths, and scans of something
else, and prints tables. A line a stack is kept in runs/guard/stacks.jsonl; what was cut off goes on there.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import time
import tracemalloc
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import tifffile
from monai.bundle import ConfigParser
from scipy import stats

from benchmarking.corrupting import CORRUPTIONS, STRENGTHS, corrupted
from custom.base.errors import BadInput
from custom.command_line.options import GivenPath
from custom.guard import Guard
from custom.metrics.masks import dice_of
from custom.stack import open_stack

BUNDLE = Path(__file__).resolve().parents[2] / "bundle"
OWN, HARD, FOREIGN = "own", "hard", "foreign"
Row = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """A stack to segment.

    Attributes:
        kind: `OWN`, `HARD` or `FOREIGN`.
        stack: its file, made worse by `worse`, a corruption and its strength, if that is not None.
        label: of lithium, if there is one.
    """

    kind: str
    stack: Path
    label: Path | None = None
    worse: tuple[str, int] | None = None

    @property
    def name(self) -> str:
        """Of its row."""
        return " ".join([self.kind, str(self.stack), *map(str, self.worse or ())])


def cases(own: Path | None, hard: Path | None, foreign: Sequence[Path], cells: int) -> Iterator[Case]:
    """All stacks, in their order."""
    for kind, folder in ((OWN, own), (HARD, hard)):
        stacks = [] if folder is None else sorted((folder / "images").glob("*.tif"))
        for stack in stacks if kind == OWN else stacks[:cells]:
            label = stack.parents[1] / "labels" / stack.name
            yield Case(kind, stack, label)
            worse = [(name, strength) for name in CORRUPTIONS for strength in STRENGTHS] if kind == HARD else []
            yield from (Case(kind, stack, label, one) for one in worse)
    yield from (Case(FOREIGN, stack) for stack in foreign)


def measured(case: Case, folder: Path) -> Row:
    """One stack, segmented as the command does it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    stack, label = case.stack, None if case.label is None else tifffile.imread(case.label)
    if case.worse is not None and label is not None:
        grey, label = corrupted(tifffile.imread(stack), label, *case.worse)
        stack = folder / stack.name
        size = open_stack(case.stack).voxel_size_um
        tifffile.imwrite(
            stack,
            grey,
            imagej=True,
            metadata={"axes": "ZYX", "unit": "um", "spacing": size and size[0]},
            resolution=None if size is None else (1 / size[2], 1 / size[1]),
        )
    told, guard_s, guard_mb = segmented(stack, folder / "out")
    guard, expected = told["guard"], told["expected_dice"]
    row = {"name": case.name, "kind": case.kind, "worse": case.worse, "verdict": guard["verdict"]}
    row |= {"distance": guard["distance"], "furthest": guard["furthest"], "sentence": guard["sentence"]}
    row |= {"expected": expected["value"], "interval": expected["interval"], "from": expected["from_probabilities"]}
    mask = open_stack(folder / "out" / "mask.zarr")
    row["true"] = None if label is None else dice_of(mask.read(0, mask.shape[0]), (label == 1).astype(np.uint8))
    row |= {"seconds": told["seconds"], "guard_seconds": guard_s, "guard_mb": guard_mb}
    shutil.rmtree(folder)
    return row


def segmented(stack: Path, output_dir: Path) -> tuple[dict[str, Any], float, float]:
    """summary.json of a stack, and the guard by itself: its seconds, and its memory in MB."""
    parser = ConfigParser()
    parser.read_config([BUNDLE / "configs/inference.json", BUNDLE / "configs/network_unet.json"])
    parser.read_meta(BUNDLE / "configs/metadata.json")
    given = {"bundle_root": str(BUNDLE), "stack": str(stack), "output_dir": str(output_dir), "overwrite": True}
    for key, value in given.items():
        parser[key] = value
    trained, segmentation = (parser.get_parsed_content(key) for key in ("trained", "segmentation"))
    trained.load(parser.get_parsed_content("network"), parser.get_parsed_content("class_names"))
    segmentation.run(parser.get_parsed_content("evaluator"))
    guard = Guard("warn", trained.records)
    started = time.perf_counter()
    guard.judge(segmentation.stack, segmentation.window)
    seconds = time.perf_counter() - started
    tracemalloc.start()
    guard.judge(segmentation.stack, segmentation.window)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return json.loads((output_dir / "summary.json").read_text(encoding="utf-8")), seconds, most / 1e6


def tables(rows: Sequence[Row]) -> str:
    """Markdown: what the guard says of each kind, what is expected of worse cells, and how well both tell."""
    kinds = {kind: [row for row in rows if row["kind"] == kind] for kind in (OWN, HARD, FOREIGN)}
    lines = ["| stacks | number | like | unlike | distance, least | median | most |", "| --- " * 7 + "|"]
    for name, held in (
        (OWN, kinds[OWN]),
        ("hard, as made", [r for r in kinds[HARD] if r["worse"] is None]),
        (FOREIGN, kinds[FOREIGN]),
    ):
        if held:
            far = [row["distance"] for row in held]
            like = sum(row["verdict"] == "like" for row in held)
            ends = " | ".join(f"{one:.2f}" for one in (min(far), statistics.median(far), max(far)))
            lines.append(f"| {name} | {len(held)} | {like} | {len(held) - like} | {ends} |")
    lines += [
        "",
        "| hard cells made worse | true Dice by strength 1 to 5 | expected Dice | unlike |",
        "| --- " * 4 + "|",
    ]
    for name in CORRUPTIONS:
        parts = [[row for row in kinds[HARD] if row["worse"] and [*row["worse"]] == [name, one]] for one in STRENGTHS]
        if all(parts):
            true, expected = (" ".join(f"{mean(part, key):.2f}" for part in parts) for key in ("true", "expected"))
            unlike = " ".join(f"{sum(row['verdict'] == 'unlike' for row in part)}/{len(part)}" for part in parts)
            lines.append(f"| {name} | {true} | {expected} | {unlike} |")
    return "\n".join([*lines, "", *told_apart(kinds)])


def mean(rows: Sequence[Row], key: str) -> float:
    """Of a figure, where nothing counts as 0."""
    return statistics.mean(float(row[key] or 0.0) for row in rows)


def told_apart(kinds: dict[str, list[Row]]) -> list[str]:
    """Lines: how well kinds are told apart, how right the expected Dice is, and what the guard costs."""
    own, hard, foreign = kinds[OWN], kinds[HARD], kinds[FOREIGN]
    lines = []
    if own and foreign:
        auc = (
            stats.mannwhitneyu(*([row["distance"] for row in part] for part in (foreign, own))).statistic
            / len(foreign)
            / len(own)
        )
        lines.append(
            f"- foreign against own: AUC {auc:.3f}; false alarms {sum(row['verdict'] == 'unlike' for row in own) / len(own):.1%}"
        )
    if hard:
        pairs = [(row["expected"] or 0.0, row["true"]) for row in hard]
        alone = [(row["from"] or 0.0, row["true"]) for row in hard]
        rank, of_probabilities = (float(stats.spearmanr(*zip(*one, strict=True)).statistic) for one in (pairs, alone))
        lines.append(
            f"- expected against true Dice, hard cells: rank correlation {rank:.2f} (of probabilities alone {of_probabilities:.2f})"
        )
    for name, part in (("own", own), ("hard", hard)):
        inside = [row["interval"][0] <= row["true"] <= row["interval"][1] for row in part if row["interval"]]
        if inside:
            lines.append(f"- true Dice within the interval, {name}: {sum(inside)} of {len(inside)}")
    every = [*own, *hard, *foreign]
    if every:
        share = statistics.median(row["guard_seconds"] / row["seconds"] for row in every)
        lines.append(
            f"- the guard's time: {share:.2%} of the segmentation's (median), its memory {max(row['guard_mb'] for row in every):.0f} MB at most"
        )
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure what the guard and the expected Dice are worth.")
    parser.add_argument("--own", action=GivenPath, help="phantom like that of the training, other seeds")
    parser.add_argument("--hard", action=GivenPath, help="hard phantom, whose cells are made worse")
    parser.add_argument("--foreign", action=GivenPath, nargs="+", default=[], help="stacks of something else")
    parser.add_argument("--cells", type=int, default=2, help="of the hard phantom")
    parser.add_argument("--output_dir", action=GivenPath, default=Path("runs/guard"))
    given = parser.parse_args()
    path = Path(given.output_dir) / "stacks.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    own, hard = (None if folder is None else Path(folder) for folder in (given.own, given.hard))
    try:
        for case in cases(own, hard, [Path(stack) for stack in given.foreign], given.cells):
            if case.name in {row["name"] for row in rows}:
                continue
            rows.append(measured(case, path.parent / "work"))
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(rows[-1]) + "\n")
    except BadInput as refused:
        print(f"error: {refused}", file=sys.stderr)
        return 2
    print(tables(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
