"""A progress bar with rate and time left, on a terminal only."""

from __future__ import annotations

from ignite.engine import Engine
from ignite.handlers import ProgressBar


class Progress(ProgressBar):
    """Ignite's bar with its rate shown, and quiet where the output is no terminal.

    Args:
        name: what the bar counts for.
        unit: the unit of the rate.
        show: False on all ranks but the first.
    """

    def __init__(self, name: str, unit: str = "it", show: bool = True) -> None:
        super().__init__(
            bar_format="{desc}[{n_fmt}/{total_fmt}] {percentage:3.0f}%|{bar}{postfix} {rate_fmt} [{elapsed}<{remaining}]",
            desc=name,
            unit=unit,
            disable=None if show else True,
        )

    def attach(self, engine: Engine) -> None:  # type: ignore[override]
        """MONAI's handler protocol."""
        super().attach(engine)
