"""A region on its way: what a killed run leaves behind and the next one goes on with."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from custom.base.errors import BadInput
from custom.base.files import complete_file

STORE = ".region"
_SETTINGS = "settings.json"


class Unfinished:
    """The folder `.region` in the output folder.

    Args:
        output_dir: the output folder.
        settings: all that decides the region's voxels; JSON types.
    """

    def __init__(self, output_dir: Path, settings: Mapping[str, Any]) -> None:
        self.output_dir, self.folder = output_dir, output_dir / STORE
        self.settings: dict[str, Any] = json.loads(json.dumps(dict(settings)))
        self.record = self.folder / "region.json"

    @staticmethod
    def there(output_dir: Path) -> bool:
        """Whether anything that can be gone on with lies in an output folder."""
        return (output_dir / STORE / _SETTINGS).exists()

    def begun(self) -> bool:
        """Whether what is there was begun with the same settings."""
        return self._before() == self.settings

    def begin(self, overwrite: bool) -> None:
        """Make the folder ready.

        Raises:
            BadInput: slices of other settings are there, and may not be thrown away; the folder cannot be written to.
        """
        before = self._before()
        if before == self.settings:
            return
        if before is not None and not overwrite and self._sampled():
            names = [name for name in {**before, **self.settings} if before.get(name) != self.settings.get(name)]
            raise BadInput(
                f"{self.output_dir}: an unfinished region is here, begun with a different {' and '.join(names)}; give the "
                "command that began it to finish it, --overwrite true to start anew, or another --output_dir."
            )
        self.remove()
        with complete_file(self.folder / _SETTINGS) as part:
            part.write_text(json.dumps(self.settings, indent=1), encoding="utf-8")

    def remove(self) -> None:
        """Remove all that is there, first what makes it usable."""
        if self.folder.exists():
            (self.folder / _SETTINGS).unlink(missing_ok=True)
            shutil.rmtree(self.folder)

    def remove_unless_sampled(self) -> None:
        """Leave nothing behind where a run is refused before its first slice."""
        if not self._sampled():
            self.remove()

    def _sampled(self) -> bool:
        return any((self.folder / "done").glob("*"))

    def _before(self) -> dict[str, Any] | None:
        try:
            found = json.loads((self.folder / _SETTINGS).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) else None
