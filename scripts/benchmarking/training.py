"""Training samples per second, beside a plain MONAI recipe."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
from monai.bundle import ConfigParser

from benchmarking.measuring import alternate, machine, read_config
from custom.data import ensure_dataset

WHAT = {
    "plain": "(1) Dataset and DataLoader, no cache, contiguous network, fp32",
    "ours": "(2) train.json as it is",
    "step": "(3) the step of (2) alone on one ready-made batch: the limit",
}
PLAIN: dict[str, Any] = {
    "network": "$@network_def.to(@device)",
    "train#dataset": {"_target_": "Dataset", "data": "$@split['train']", "transform": "@train#preprocessing"},
    "train#inferer": {"_target_": "SimpleInferer"},
}


class Recipe:
    """What one configuration trains with; `steps` runs some steps of it."""

    def __init__(self, parser: ConfigParser, device: torch.device) -> None:
        parsed = parser.get_parsed_content
        start = time.perf_counter()
        torch.manual_seed(0)  # the same first weights for all
        self.network: torch.nn.Module = parsed("network")
        self.optimizer: torch.optim.Optimizer = parsed("optimizer")
        self.loss, self.inferer, self.device = parsed("loss_function"), parsed("train#inferer"), device
        self.batches = endless(parsed("train#dataloader"))
        self.network.train()
        self.setup_seconds = time.perf_counter() - start

    def step(self, batch: dict[str, torch.Tensor]) -> None:
        """As MONAI's SupervisedTrainer does it."""
        image, label = batch["image"].to(self.device), batch["label"].to(self.device)
        self.optimizer.zero_grad(set_to_none=True)
        self.loss(self.inferer(image, self.network), label).backward()
        self.optimizer.step()

    def steps(self, count: int) -> None:
        """Draw `count` batches and train on them."""
        for batch in itertools.islice(self.batches, count):
            self.step(batch)


def endless(loader: Any) -> Iterator[dict[str, torch.Tensor]]:
    """Epoch after epoch."""
    while True:
        yield from loader


def measure(
    network: str, device: torch.device, dataset_dir: str, batch_size: int, steps: int, workers: int, repeats: int
) -> dict[str, Any]:
    """Time `steps` steps of all rows on the same data, taking turns; see `WHAT` for the rows.

    Args:
        workers: processes of the plain recipe's loader.
    """
    ensure_dataset(dataset_dir)
    recipes = {}
    for name in ("plain", "ours"):
        parser = read_config("train", network)
        parser["device"], parser["dataset_dir"], parser["batch_size"] = str(device), dataset_dir, batch_size
        if name == "plain":
            for key, value in PLAIN.items():
                parser[key] = value
            loader = parser["train#dataloader"]
            parser["train#dataloader"] = {**loader, "shuffle": True, "num_workers": workers, "sampler": None}
        recipes[name] = Recipe(parser, device)
    ready = next(recipes["ours"].batches)

    def step_alone() -> None:
        for _ in range(steps):
            recipes["ours"].step(ready)

    rows: dict[str, Callable[[], object]] = {
        "plain": lambda: recipes["plain"].steps(steps),
        "ours": lambda: recipes["ours"].steps(steps),
        "step": step_alone,
    }
    seconds = alternate(rows, repeats, device)
    return {
        "network": network,
        **machine(device),
        "batch_size": batch_size,
        "steps": steps,
        "plain_workers": workers,
        "repeats": repeats,
        "cache_seconds": recipes["ours"].setup_seconds,
        "rows": [
            {
                "row": WHAT[name],
                "seconds": taken,
                "samples/s": steps * batch_size / taken,
                "x (1)": seconds["plain"] / taken,
                "share of (3)": seconds["step"] / taken,
            }
            for name, taken in seconds.items()
        ],
    }
