"""Alternating timings, peak memory, and what they were taken on."""

from __future__ import annotations

import contextlib
import multiprocessing
import platform
import re
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import monai
import torch
from monai.bundle import ConfigParser

from custom.base.errors import BadInput
from custom.speed.precision import gains_from_bf16

CONFIGS = Path(__file__).resolve().parents[2] / "bundle" / "configs"
NETWORKS = ("unet", "monai_unet", "ynet", "transforcnn", "enet")


def read_config(base: str, network: str) -> ConfigParser:
    """`base`.json of the bundle with the network's overlay; TransforCNN is the one that needs none."""
    parser = ConfigParser()
    overlays = [] if network == "transforcnn" else [CONFIGS / f"network_{network}.json"]
    parser.read_config([str(CONFIGS / f"{base}.json"), *map(str, overlays)])
    parser["bundle_root"] = str(CONFIGS.parent)
    return parser


# by name: Python 3.11 does not hand sys.path on to the server, so that it finds no module of this folder
_PRELOADED = [
    "torch",
    "monai.bundle",
    "monai.engines",
    "scipy.ndimage",
    "scipy.spatial",
    "numba",
    "cv2",
    "skimage.measure",
]


class Worker:
    """A row of a table in a process of its own, so that no row gains or suffers from what another one keeps in memory.

    Args:
        prepare: called with `given` in that process; returns what is to be timed.
        device: waited for before the clock is stopped.
        threads: of torch; None: as many as it takes.
    """

    def __init__(
        self,
        prepare: Callable[..., Callable[[], Any]],
        given: tuple[Any, ...],
        device: torch.device,
        threads: int | None,
    ) -> None:
        forking = multiprocessing.get_context("forkserver")
        forking.set_forkserver_preload(_PRELOADED)  # imported once; no row has run there
        self.pipe, theirs = forking.Pipe()
        self.process = forking.Process(target=_serve, args=(theirs, prepare, given, device, threads))
        self.process.start()
        theirs.close()

    def ask(self, what: str) -> Any:
        """What one run took ("seconds"), returned ("result"), or held beyond what was there before ("peak_mb").

        Raises:
            BadInput: the process has failed, and said why on standard error.
        """
        try:
            self.pipe.send(what)
            return self.pipe.recv()
        except (EOFError, BrokenPipeError) as error:
            raise BadInput("a row of the benchmark failed; the reason stands above") from error

    def close(self) -> None:
        """End the process."""
        self.pipe.close()
        self.process.join()


def _serve(
    pipe: Connection,
    prepare: Callable[..., Callable[[], Any]],
    given: tuple[Any, ...],
    device: torch.device,
    threads: int | None,
) -> None:
    if threads:
        torch.set_num_threads(threads)
    run = prepare(*given)

    def seconds() -> float:
        start = time.perf_counter()
        run()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return time.perf_counter() - start

    answers = {"seconds": seconds, "result": run, "peak_mb": lambda: peak_mb(run, device)}
    with contextlib.suppress(EOFError):
        while True:
            pipe.send(answers[pipe.recv()]())


@contextlib.contextmanager
def working(
    rows: Mapping[str, tuple[Callable[..., Callable[[], Any]], tuple[Any, ...]]],
    device: torch.device,
    threads: int | None,
) -> Iterator[dict[str, Worker]]:
    """The workers of a table's rows, each given as what prepares it and for what."""
    workers = {name: Worker(prepare, given, device, threads) for name, (prepare, given) in rows.items()}
    try:
        yield workers
    finally:
        for worker in workers.values():
            worker.close()


def alternate(workers: Mapping[str, Worker], repeats: int) -> dict[str, float]:
    """Median seconds of each row, after one run that is not counted; rows take turns, so that all see the same noise."""
    seconds: dict[str, list[float]] = {name: [] for name in workers}
    for turn in range(repeats + 1):
        for name, worker in workers.items():
            taken = worker.ask("seconds")
            if turn:
                seconds[name].append(taken)
    return {name: statistics.median(taken) for name, taken in seconds.items()}


def peak_mb(run: Callable[[], object], device: torch.device) -> float | None:
    """Peak memory of one run beyond what was held before, in MB: GPU memory on CUDA, else resident memory (Linux)."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        run()
        return (torch.cuda.max_memory_allocated(device) - before) / 1e6
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the high-water mark starts anew from here
    except OSError:
        run()
        return None
    before_kb = _status("VmRSS")
    run()
    return max(0, _status("VmHWM") - before_kb) * 1.024e-3


def _status(key: str) -> int:
    found = re.search(rf"{key}:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    return int(found[1]) if found else 0


def machine(device: torch.device, threads: int | None) -> dict[str, Any]:
    """The processor, the number of threads and the versions that a figure belongs to."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file() and (
        named := re.search(r"model name\s*:\s*(.*)", info.read_text(encoding="utf-8", errors="replace"))
    ):
        cpu = named[1]
    return {
        "cpu": cpu,
        "bfloat16": gains_from_bf16(device),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "threads": threads or torch.get_num_threads(),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        "torch": torch.__version__,
        "monai": monai.__version__,
    }


def table(rows: list[dict[str, Any]]) -> str:
    """Rows of equal keys as a Markdown table; what is None is left blank."""
    heads = list(rows[0])

    def cell(value: Any) -> str:
        return "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)

    lines = [heads, ["---"] * len(heads), *[[cell(row[head]) for head in heads] for row in rows]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
