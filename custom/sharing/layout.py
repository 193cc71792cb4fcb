"""Where the parts of a bundle lie: in this project's clone, and in an unpacked bundle that is packed once more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

OVERLAY_OF_ALL = "network_enet.json"  # needs the weights of three networks, which only the project's own bundle has
PAGES = ("docs/guard.md", "docs/keys.md", "docs/labelling.md", "docs/measuring.md", "docs/region.md", "docs/stacks.md")
TOOLS = ("pack_bundle.py", "check_bundle.py")
# what a bundle cannot do without, relative to its folder
REQUIRED = (
    "LICENSE",
    "SHA256SUMS",
    "configs/inference.json",
    "configs/metadata.json",
    "configs/train.json",
    "docs/README.md",
    "models/model.json",
    "models/model.pt",
    "models/model.safetensors",
    "models/model.ts",
    "requirements.txt",
    "selftest/mask.tif",
    "selftest/slice.tif",
)


@dataclass(frozen=True)
class Source:
    """The files that a bundle is packed from.

    Attributes:
        bundle: the folder that holds configs/, models/, docs/, selftest/, LICENSE and requirements.txt.
        package: the folder of the Python package that the configs name.
        tools: the folder of the command lines that travel along.
        readme: the bundle's own README.
    """

    bundle: Path
    package: Path
    tools: Path
    readme: Path

    @property
    def name(self) -> str:
        """The name under which the configs know the package."""
        return self.package.name

    def python(self) -> Iterator[tuple[str, Path]]:
        """The Python and its data: path relative to the folder above the package, and the file."""
        for path in sorted(self.package.rglob("*")):
            if path.is_file() and path.suffix in (".py", ".json"):
                yield path.relative_to(self.package).as_posix(), path

    def pages(self) -> dict[str, Path]:
        """The pages that travel along, by path relative to the bundle: its README, keys and stacks, other programs."""
        clients = {f"docs/clients/{path.name}": path for path in sorted((self.bundle / "docs/clients").glob("*.md"))}
        return {"docs/README.md": self.readme, **{name: self.bundle / name for name in PAGES}, **clients}

    def configs(self) -> Iterator[Path]:
        """The JSON files that the commands take, without metadata.json."""
        return (path for path in sorted((self.bundle / "configs").glob("*.json")) if path.name != "metadata.json")


def here() -> Source:
    """The source that this very code belongs to."""
    package = Path(__file__).resolve().parents[1]
    root = package.parent
    if (root / "bundle/configs").is_dir():
        return Source(root / "bundle", package, root / "scripts", root / "bundle/docs/packed.md")
    return Source(root, package, root / "tools", root / "docs/README.md")
