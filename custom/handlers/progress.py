"""A progress bar with rate and time left, on a terminal only."""

from __future__ import annotations

from collections.abc import Sequence

from ignite.engine import Engine
from ignite.handlers import ProgressBar


class Progress(ProgressBar):
    """Ignite's bar with its rate shown, and quiet where the output is no terminal.

    Args:
        name: what the bar counts for.
        unit: the unit of the rate.
        show: False on all ranks but the first, where the engine does not know its rank, as one without a process group.
        values: names of numbers of the engine's state that are shown beside the bar.
    """

    def __init__(self, name: str, unit: str = "it", show: bool = True, values: Sequence[str] = ()) -> None:
        super().__init__(
            bar_format="{desc}[{n_fmt}/{total_fmt}] {percentage:3.0f}%|{bar}{postfix} {rate_fmt} [{elapsed}<{remaining}]",
            desc=name,
            unit=unit,
            disable=None if show else True,
        )
        self.values = list(values)

    def attach(self, engine: Engine) -> None:  # type: ignore[override]
        """MONAI's handler protocol."""
        if getattr(engine.state, "rank", 0):
            self.tqdm_kwargs["disable"] = True
        super().attach(engine, state_attributes=self.values)
