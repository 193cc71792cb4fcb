"""Training samples per second, beside a plain MONAI recipe."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import torch
from monai.bundle import ConfigParser

from benchmarking.measuring import alternate, machine, read_config, working
from custom.phantom import ensure_dataset
from custom.speed.allocation import keep_freed_memory

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
        torch.manual_seed(0)  # the same first weights for all
        self.network: torch.nn.Module = parsed("network")
        self.optimizer: torch.optim.Optimizer = parsed("optimizer")
        self.loss, self.inferer, self.device = parsed("loss_function"), parsed("train#inferer"), device
        self.batches = endless(parsed("train#dataloader"))
        self.network.train()

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


def row(
    name: str, network: str, device: torch.device, dataset_dir: str, batch_size: int, steps: int, workers: int
) -> Callable[[], None]:
    """What a row of `WHAT` does: `steps` training steps."""
    parser = read_config("train", network)
    parser["device"], parser["dataset_dir"], parser["batch_size"] = str(device), dataset_dir, batch_size
    if name == "plain":
        for key, value in PLAIN.items():
            parser[key] = value
        loader = parser["train#dataloader"]
        parser["train#dataloader"] = {**loader, "shuffle": True, "num_workers": workers, "sampler": None}
    else:
        keep_freed_memory()
    recipe = Recipe(parser, device)
    if name != "step":
        return lambda: recipe.steps(steps)
    ready = next(recipe.batches)

    def step_alone() -> None:
        for _ in range(steps):
            recipe.step(ready)

    return step_alone


def measure(
    network: str,
    device: torch.device,
    threads: int | None,
    dataset_dir: str,
    batch_size: int,
    steps: int,
    workers: int,
    repeats: int,
) -> dict[str, Any]:
    """Time `steps` steps of all rows on the same data, taking turns; see `WHAT` for the rows.

    Args:
        workers: processes of the plain recipe's loader.
    """
    ensure_dataset(dataset_dir)
    given = (network, device, dataset_dir, batch_size, steps, workers)
    with working({name: (row, (name, *given)) for name in WHAT}, device, threads) as rows:
        seconds = alternate(rows, repeats)
    return {
        "network": network,
        **machine(device, threads),
        "batch_size": batch_size,
        "steps": steps,
        "plain_workers": workers,
        "repeats": repeats,
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
