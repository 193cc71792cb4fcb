"""Every command of README and the pages of bundle/docs is run, on tiny data, as it is written there."""

from __future__ import annotations

import json
import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

import cli
import numpy as np
import pytest
import tifffile
import yaml
from conftest import blobs, write_labelled_set

from custom.phantom.raw_dataset import RawWriter
from custom.phantom.raw_phantom import RawPhantom

pytestmark = pytest.mark.slow

SETUP = "python3 -m venv .venv && .venv/bin/pip install -r requirements{}.txt && .venv/bin/python -m "
# what makes a training short; the rest of each command stays as it is
SHORT = {"--max_epochs": "1", "--patches_per_epoch": "2", "--batch_size": "2", "--max_minutes": "0"}


# in this order: what one command writes, later ones take
PAGES = ["README.md"]
PAGES += [
    f"bundle/docs/{name}.md"
    for name in (
        "keys",
        "stacks",
        "labelling",
        "few_labels",
        "region",
        "measuring",
        "study",
        "classes",
        "clusters",
        "sharing",
        "README",
        "ablation",
    )
]
# whose commands other tests run: test_bundle_clients.py, those of tests/sharing
ELSEWHERE = ["CONTRIBUTING.md", "bundle/docs/packed.md", "bundle/docs/clients/monai_deploy.md"]
ELSEWHERE += ["bundle/docs/clients/monai_label.md"]


def commands(document: str) -> list[str]:
    """The lines of all ```bash blocks."""
    blocks = re.findall(r"```bash\n(.*?)```", (cli.ROOT / document).read_text(), flags=re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


COMMANDS = list(dict.fromkeys(line for page in PAGES for line in commands(page)))

# of the table of keys: name, commands, default, where that is one value
KEYS = re.findall(
    r"^\| `--(\S+)` \| ([TESRMNC ]+) \| `([^`]+)` \|",
    (cli.ROOT / "bundle/docs/keys.md").read_text(),
    flags=re.MULTILINE,
)
CONFIGS = {"T": ("train",), "E": ("train", "evaluate"), "S": ("inference",), "R": ("region",), "M": ("measure",)}
CONFIGS |= {"N": ("inference", "suggest"), "C": ("collect",)}


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working directory with the project's folders and the reader's own data in it."""
    folder = tmp_path_factory.mktemp("clone")
    for name in ("bundle", "custom", "scripts"):
        (folder / name).symlink_to(cli.ROOT / name)
    mine = write_labelled_set(folder / "my_slices", stacks=(10,), size=(136, 140))
    (mine / "tool_labels").mkdir()
    for path in (mine / "labels").iterdir():
        label = tifffile.imread(path)
        label[:, :9] = np.arange(9)[:, None] % 4
        tifffile.imwrite(mine / "tool_labels" / path.name, label, photometric="minisblack")
    # stands for the phantom's test cells, which take half a minute to make
    phantom = write_labelled_set(folder / "data" / "phantom", stacks=(24, 24), size=(60, 64))
    for part in ("images", "labels"):
        for i in (0, 1):
            (phantom / part / f"stack_{i}.tif").rename(phantom / part / f"cell_{7 + i:04d}.tif")
    (phantom / "classes").mkdir()
    for path in (phantom / "labels").iterdir():
        label = tifffile.imread(path)
        label[:, :10] = np.arange(10)[:, None] % 6
        tifffile.imwrite(phantom / "classes" / path.name, label, photometric="minisblack")
    (folder / "my_stack").mkdir()
    for z, plane in enumerate(blobs(3, (136, 140))[0]):
        tifffile.imwrite(folder / "my_stack" / f"recon_{z:05d}.tiff", plane)
    corners = [[2, 2], [2, 136], [133, 136], [133, 2]]
    (folder / "my_region.json").write_text(json.dumps({"corners": {"yx": corners}}))
    RawWriter(folder, RawPhantom.draw((150, 256, 256), seed=0)).write_fields()
    return folder


def shortened(command: str) -> list[str]:
    """The command's words, with the settings of `SHORT` in place of its own where it trains."""
    words = shlex.split(re.sub(r"^[A-Z_]+=\S* ", "", command))  # without a variable of the environment
    if "bundle/configs/region.json" in words and "--region" not in words:  # looking for it takes half a minute
        return [*words, "--region", "true_region.json"]
    if "training" not in words:
        return words
    kept = [w for i, w in enumerate(words) if w not in SHORT and (i == 0 or words[i - 1] not in SHORT)]
    resumed = "--resume" in words
    settings = SHORT | ({"--max_epochs": "2"} if resumed else {})
    return kept + [word for pair in settings.items() for word in pair]


def test_the_two_setup_commands_stand_first() -> None:
    assert COMMANDS[:2] == [
        SETUP.format("") + "monai.bundle run training --config_file bundle/configs/train.json",
        SETUP.format("-dev") + "pytest -n 2 --dist loadfile",
    ]


@pytest.mark.parametrize("command", COMMANDS[2:])
def test_command(command: str, clone: Path) -> None:
    words = shortened(command)
    if words[:3] == ["python", "-m", "monai.bundle"]:
        ended = cli.bundle_words(words[3:], clone)
        assert ended.code == 0, ended.error
        return
    if words[1:2] == ["scripts/run_study.py"]:
        quick = ["--budget", "1s", "--patches_per_epoch", "2", "--device", "cpu"]
        assert cli.study([*words[2:], *quick], clone) == 0
        return
    if words[1].removeprefix("scripts/") in ("pack_bundle.py", "check_bundle.py", "export_bundle.py"):
        with cli.own_process([], clone), patch.object(sys, "argv", words[1:]), pytest.raises(SystemExit, match="^0$"):
            runpy.run_path(words[1], run_name="__main__")
        return
    if words[1:2] == ["scripts/compare_peers.py"]:  # without the libraries that are an extra
        words += ["--budget", "1s", "--device", "cpu", "--methods", "monai", "grey_window", "otsu"]
    words[0] = str(Path(sys.executable).with_name(words[0]))
    done = subprocess.run(words, cwd=clone, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]


def test_no_page_and_no_table_is_left_out() -> None:
    found = [
        str(path.relative_to(cli.ROOT)) for kind in ("*.md", "bundle/docs/**/*.md") for path in cli.ROOT.glob(kind)
    ]
    assert {page for page in found if commands(page)} <= {*PAGES, *ELSEWHERE} and len(KEYS) > 20


@pytest.mark.parametrize(("key", "uses", "default"), KEYS)
def test_a_keys_default_is_the_configs(key: str, uses: str, default: str) -> None:
    for use in uses.split():
        parser = cli.parser_of(*CONFIGS[use], *(["network_enet"] if use not in "RMNC" else []))
        assert parser.get_parsed_content(key) == yaml.safe_load(default)
