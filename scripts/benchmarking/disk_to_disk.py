"""Segmenting from a stack on the disk to a mask on the disk, Enter to end, beside another checkout of this project.

`python scripts/benchmarking/disk_to_disk.py --dataset_dir data/hard --beside ../before --output_dir runs/disk_to_disk` lays the
cells of a phantom side by side, as wide as the study's region, and runs every row in turn: of each network the other checkout,
then the engines of this one.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarking.pieces import laid
from benchmarking.whole_region import STUDY
from custom.base.errors import BadInput
from custom.command_line.options import GivenPath
from custom.stack import open_stack

ROOT = Path(__file__).resolve().parents[2]
NETWORKS = {"unet": (), "transforcnn": (), "ynet": (), "enet": ("--blend", "[0.2,0.0,0.8]")}


@dataclass(frozen=True)
class Row:
    """A command that is timed, and what it took: seconds, megabytes of memory, megabytes written."""

    network: str
    engine: str
    root: Path
    words: tuple[str, ...]

    def run(self, stack: Path, folder: Path) -> tuple[float, float, float]:
        """Segment a stack into a folder, which is emptied before.

        Raises:
            BadInput: it failed.
        """
        shutil.rmtree(folder, ignore_errors=True)
        overlay = [] if self.network == "transforcnn" else [f"bundle/configs/network_{self.network}.json"]
        command = [sys.executable, "-m", "monai.bundle", "run"]
        command += ["--config_file", str(["bundle/configs/inference.json", *overlay]), *self.words]
        command += ["--stack", str(stack), "--output_dir", str(folder), "--device", "cpu"]
        begun = time.perf_counter()
        with subprocess.Popen(
            command, cwd=self.root, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stderr is not None
            said = process.stderr.read()
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - begun
        if process.returncode:
            raise BadInput(f"{' '.join(command)}: ended with {process.returncode}: {said.strip()[-500:]}")
        written = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        return seconds, used.ru_maxrss / 1000, written / 1e6


def stack_of(dataset: Path, folder: Path, slices: int) -> Path:
    """The cells of a phantom side by side, as a Zarr; one that is there stays."""
    path = folder / f"stack_{slices}.zarr"
    if not path.exists():
        files = sorted((dataset / "images").glob("*.tif"))
        if not files:
            raise BadInput(f"{dataset}: holds no images; make some by python scripts/make_phantom.py --difficulty hard")
        stacks = [open_stack(file) for file in files]
        cells = [stack.read(0, stack.shape[0]) for stack in stacks]
        folder.mkdir(parents=True, exist_ok=True)
        laid(cells, path.with_suffix(""), (slices, *STUDY[1:]), stacks[0].voxel_size_um)
    return path


def rows_of(given: argparse.Namespace) -> list[Row]:
    """What is timed, the first of each network what the others are compared with."""
    rows = []
    for network in given.networks:
        words = NETWORKS[network]
        if given.beside is not None:
            rows.append(Row(network, "before", given.beside, words))
        for engine in given.engines:
            rows.append(Row(network, engine, ROOT, (*words, "--engine", engine)))
        if network == "unet" and given.int8 is not None:
            rows.append(Row(network, "int8", ROOT, ("--engine", "int8", "--weights", str(given.int8))))
    return rows


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Seconds and memory of segmenting, from disk to disk.")
    parser.add_argument("--dataset_dir", action=GivenPath, required=True, help="a phantom of make_phantom.py")
    parser.add_argument("--output_dir", action=GivenPath, default=Path("runs/disk_to_disk"))
    parser.add_argument("--slices", type=int, default=64, help=f"of {STUDY[1]} x {STUDY[2]} voxels")
    parser.add_argument("--networks", nargs="+", choices=list(NETWORKS), default=["unet", "transforcnn", "enet"])
    parser.add_argument("--engines", nargs="+", default=["torch", "openvino"], help="of this checkout")
    parser.add_argument("--int8", action=GivenPath, help="weights of a U-Net with its 8 bits beside them")
    parser.add_argument("--beside", type=Path, help="another checkout of this project, by its own engine")
    parser.add_argument("--repeats", type=int, default=7, help="timed turns, of which the median counts")
    return parser.parse_args()


def main() -> int:
    given = arguments()
    folder = Path(given.output_dir).absolute()
    try:
        stack, rows = stack_of(Path(given.dataset_dir).absolute(), folder, given.slices), rows_of(given)
        found: dict[Row, list[tuple[float, float, float]]] = {row: [] for row in rows}
        for turn in range(given.repeats):
            for row in rows:
                found[row].append(row.run(stack, folder / "result"))
                told = dict(zip(("seconds", "peak_mb", "written_mb"), found[row][-1], strict=True))
                line = {"slices": given.slices, "network": row.network, "engine": row.engine, "turn": turn, **told}
                with (folder / "runs.jsonl").open("a", encoding="utf-8") as file:
                    file.write(json.dumps(line) + "\n")
    except BadInput as refused:
        print(f"error: {refused}", file=sys.stderr)
        return 2
    voxels = given.slices * STUDY[1] * STUDY[2] / 1e6
    first: dict[str, float] = {}
    print("| network | engine | seconds | Mvoxel/s | x the first | peak MB | MB written |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for row, taken in found.items():
        seconds, peak, written = (statistics.median(values) for values in zip(*taken, strict=True))
        ratio = first.setdefault(row.network, seconds) / seconds
        speed = voxels / seconds
        print(
            f"| {row.network} | {row.engine} | {seconds:.1f} | {speed:.2f} | {ratio:.2f} | {peak:.0f} | {written:.1f} |"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
