"""The folder of a bundle, made from its source under a name of its own."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import save

from custom.sharing.json_text import json_text
from custom.sharing.layout import OVERLAY_OF_ALL, TOOLS, Source
from custom.sharing.naming import renamed
from custom.weights import read_state

# A config is not told where it lies. The workflow that reads it is, and is among the callers of every expression.
BUNDLE_ROOT = (
    "$next((str(f.frame.f_locals['self'].config_root_path.parent) for f in inspect.stack() "
    "if isinstance(f.frame.f_locals.get('self'), monai.bundle.ConfigWorkflow)), '.')"
)
IMPORT_FOR_ROOT = "$import inspect"
# clients that build the network alone run no `initialize`; the expression is the one that stands there
FINDS_PACKAGE = "$sys.path.insert(0, os.path.abspath(@bundle_root))"
FINDS_CLONE = (
    "$sys.path.insert(0, os.path.dirname(os.path.abspath(@bundle_root)))"  # what lies beside a bundle is no part of it
)
FIGURE = re.compile(r"^!\[[^]]*\]\(figures/.*\)\n\n", re.MULTILINE)  # of a page; a bundle holds no pictures
PLACEHOLDER = "BUNDLE_NAME"  # in the clone's copies of the README and the clients' pages


def config_text(source: Source, path: Path, name: str, changes: Mapping[str, Any]) -> str:
    """A config as it stands in the bundle `name`: its package, its root, and `changes` in place of the keys it has."""
    config = json.loads(renamed(path.read_text(encoding="utf-8"), source.name, name))
    if "bundle_root" in config:
        config["bundle_root"] = BUNDLE_ROOT
        if IMPORT_FOR_ROOT not in config["imports"]:
            config["imports"].append(IMPORT_FOR_ROOT)
        config.update({key: value for key, value in changes.items() if key in config})
    if "bundle_root" in config and "network_def" in config:
        if config["network_def"]["_target_"].startswith(f"{name}."):
            config["network_def"] = {**config["network_def"], "_requires_": FINDS_PACKAGE}
        for part in ("folder", "trained"):  # the network's patch size is found through them
            config[part]["_requires_"] = FINDS_PACKAGE
    if "initialize" in config:
        config["initialize"] = [step for step in config["initialize"] if step != FINDS_CLONE]
    return json_text(config)


def python_texts(source: Source, name: str) -> dict[str, str]:
    """The Python of the bundle `name`, and the data in its package, by path relative to the bundle's folder."""
    texts = {
        f"{name}/{relative}": renamed(path.read_text(encoding="utf-8"), source.name, name)
        for relative, path in source.python()
    }
    for tool in TOOLS:
        texts[f"tools/{tool}"] = renamed((source.tools / tool).read_text(encoding="utf-8"), source.name, name)
    return texts


def stage(source: Source, folder: Path, weights: Path, changes: Mapping[str, Any], meta: Mapping[str, Any]) -> None:
    """Write everything but what is computed: the TorchScript file, the expected mask and the sums.

    Args:
        folder: the bundle's folder, named as its package; it is made.
        weights: a .pt file beside the JSON file of its record.
        changes: keys of train.json and inference.json that the weights decide.
        meta: the content of metadata.json.
    """
    texts = python_texts(source, folder.name)
    own = weights.resolve().parent == (source.bundle / "models").resolve()
    for path in source.configs():
        if own or path.name != OVERLAY_OF_ALL:
            told = {key: renamed_values(value, source.name, folder.name) for key, value in changes.items()}
            texts[f"configs/{path.name}"] = config_text(source, path, folder.name, told)
    texts["configs/metadata.json"] = json_text(renamed_values(meta, source.name, folder.name))
    for relative, path in source.pages().items():
        text = path.read_text(encoding="utf-8").replace(PLACEHOLDER, folder.name)
        texts[relative] = FIGURE.sub("", renamed(text, source.name, folder.name))
    for relative, text in texts.items():
        target = folder / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8", newline="\n")
    _copy_files(source, folder, own)
    _copy_weights(weights, folder / "models")


def renamed_values(content: Any, old: str, new: str) -> Any:
    """JSON content in which the package `old` is called `new`."""
    return json.loads(renamed(json.dumps(content), old, new))


def _copy_files(source: Source, folder: Path, own: bool) -> None:
    for relative in ("LICENSE", "requirements.txt", "configs/logging.conf", "selftest/slice.tif"):
        (folder / relative).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source.bundle / relative, folder / relative)
    (folder / "models").mkdir(exist_ok=True)
    if own:
        licence = (source.bundle / "docs/data_license.txt").read_text(encoding="utf-8")
        (folder / "docs/data_license.txt").write_text(renamed(licence, source.name, folder.name), encoding="utf-8")
        for path in (source.bundle / "models").iterdir():
            if path.suffix in (".pt", ".safetensors", ".json"):
                shutil.copyfile(path, folder / "models" / path.name)
        return
    (folder / "docs/data_license.txt").write_text(
        "These weights were trained on data of the laboratory that packed them. The file models/model.json names the\n"
        "data; ask that laboratory for its terms.\n",
        encoding="utf-8",
    )


def _copy_weights(weights: Path, models: Path) -> None:
    # a training ends with model.pt; the record's SHA-256 is that of this very file
    shutil.copyfile(weights, models / "model.pt")
    state = {key: value.contiguous() for key, value in read_state(weights).items()}
    (models / "model.safetensors").write_bytes(save(state))
    record = json.loads(weights.with_suffix(".json").read_text(encoding="utf-8"))
    for key in ("dataset_dir", "started_from"):
        if isinstance(record.get(key), str):
            record[key] = Path(record[key]).name  # a path says more of its owner's machine than of the weights
    (models / "model.json").write_text(json_text(record), encoding="utf-8", newline="\n")
