"""A packed bundle is whole, is the same twice, and works wherever it lies."""

from __future__ import annotations

import hashlib
import json
import re
import runpy
import shlex
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cli
import monai.bundle
import numpy as np
import packs
import pytest
import tifffile
import torch
from packs import NAME

from custom.base.errors import BadInput
from custom.base.files import complete_file
from custom.networks import YNet
from custom.sharing import pack_bundle, packing, try_program
from custom.sharing.layout import REQUIRED, Source, here
from custom.sharing.naming import package_name, renamed
from custom.sharing.record import metadata_of, read_record
from custom.sharing.staging import FINDS_PACKAGE, config_text, python_texts
from custom.weights import sha256

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(packed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return packs.unpacked(packed, tmp_path_factory.mktemp("unpacked"))


@pytest.fixture(autouse=True)
def new_process() -> Iterator[None]:
    yield
    packs.forget(NAME)


def script(name: str, *words: object, monkeypatch: pytest.MonkeyPatch, folder: Path = cli.ROOT / "scripts") -> int:
    """The exit code of a command line, run in this process."""
    monkeypatch.setattr(sys, "argv", [name, *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(folder / name), run_name="__main__")
    return int(str(ended.value.code))


def test_it_holds_what_the_model_zoo_asks_for_and_nothing_of_this_machine(packed: Path) -> None:
    with zipfile.ZipFile(packed) as archive:
        contents = {info.filename: archive.read(info) for info in archive.infolist()}
    assert {f"{NAME}/{relative}" for relative in (*REQUIRED, "docs/data_license.txt")} <= set(contents)
    assert not [name for name in contents if "/custom/" in name or "/scripts/" in name or "__pycache__" in name]
    # the folder that it was staged in, and the clone
    assert not [n for n, c in contents.items() if any(word in c for word in (b"/tmp/", bytes(cli.ROOT)))]
    assert all(len(content) < 25_000_000 for content in contents.values())
    python = {name: text.decode() for name, text in contents.items() if name.endswith(".py")}
    assert not [name for name, text in python.items() if "from custom" in text or "import custom" in text]


def test_packing_again_gives_the_same_bytes(folder: Path, packed: Path, tmp_path: Path) -> None:
    """In another process, and from the unpacked bundle's own tools: nothing is lost or added on the way."""
    line = [sys.executable, "-E", "tools/pack_bundle.py", "--output", str(tmp_path / "deeper/again.zip")]
    line += ["--weights", str(packed.parent / "run/model.pt"), "--network", "configs/inference.json", "--name", NAME]
    ended = subprocess.run(line, cwd=folder, env=cli.ENVIRONMENT, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "deeper/again.zip").read_bytes() == packed.read_bytes()
    assert str(sha256(packed)) in ended.stdout


def test_it_passes_its_own_check_and_works_here(
    packed: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert script("check_bundle.py", packed, "--selftest", "true", monkeypatch=monkeypatch) == 0
    printed = capsys.readouterr().out
    assert "works here: 0 of 61440 voxels" in printed and "!!" not in printed
    assert (
        f"calls {NAME}.region.opening.open_stack_or_region" in printed
        and "evaluates $@segmentation.run(@evaluator)" in printed
    )


def test_its_program_works_without_monai(
    packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is run for those who trust it alone; other logits than those that travel along are refused."""
    words = ("check_bundle.py", packed, "--selftest", "program")
    assert script(*words, monkeypatch=monkeypatch) == 2
    assert "give --trusted true too if you trust who made it" in capsys.readouterr().err
    assert script(*words, "--trusted", "true", monkeypatch=monkeypatch) == 0
    assert "models/model.pt2 works here without MONAI: its logits differ by " in capsys.readouterr().out

    def another(folder: Path) -> None:
        np.save(folder / "selftest/output.npy", np.load(folder / "selftest/output.npy") * 1.01)

    with pytest.raises(BadInput, match=r"finds other logits here \(by 0.0099 of the largest\)"):
        try_program(packs.changed(packed, tmp_path, another), NAME)
    with pytest.raises(BadInput, match=r"model.pt2 does not run here \(.*install the torch of its requirements.txt"):
        try_program(
            packs.changed(packed, tmp_path, lambda folder: (folder / "models/model.pt2").write_bytes(b"?")), NAME
        )
    with pytest.raises(BadInput, match=r"has no .*model.pt2.*; give --selftest true, or pack it anew"):
        try_program(packs.changed(packed, tmp_path, lambda folder: (folder / "models/model.pt2").unlink()), NAME)


def test_metadata_say_where_the_weights_come_from(packed: Path, folder: Path) -> None:
    meta = json.loads((folder / "configs/metadata.json").read_text())
    run = json.loads((packed.parent / "run/model.json").read_text())
    weights = meta["weights"]
    assert weights["sha256"] == hashlib.sha256((folder / "models/model.pt").read_bytes()).hexdigest()
    assert weights["descends_from"] == {"weights_sha256": sha256(packed.parent / "start.pt")}
    assert weights["trained_on"] == {"data": "cell_A", "train": ["cell"], "val": ["cell"]}
    assert weights["scores"]["validation"] == run["validation"] and weights["grey_window"] == run["grey_window"]
    assert weights["voxel_size_um"] == [None] and weights["network"] == "BasicUNet"
    assert meta["version"] == f"0.1.0+weights.{weights['sha256'][:8]}" and meta["version"] in meta["changelog"]
    assert str(packed.parent) not in (folder / "models/model.json").read_text()


def mask_of(folder: Path, words: list[str], work: Path, output: str) -> np.ndarray:
    line = ["run", *words, "--output_dir", output, "--output_format", "tiff", "--device", "cpu", "--precision", "fp32"]
    ended = cli.bundle_words(line, work)
    assert ended.code == 0, ended.error
    return tifffile.imread(work / output / "mask.tif")


def test_it_segments_from_inside_its_folder(folder: Path, packed: Path, tmp_path: Path) -> None:
    """The mask is the one that the clone's own command line finds."""
    stack = tmp_path / "stack.tif"
    tifffile.imwrite(stack, cli.volume((3, 140, 150)), photometric="minisblack")
    words = ["--config_file", "configs/inference.json", "--stack", str(stack)]
    found = mask_of(folder, words, folder, str(tmp_path / "out"))
    assert cli.segment(stack, tmp_path / "clone", packed.parent / "run/model.pt", output_format="tiff").code == 0
    assert found.any() and np.array_equal(found, tifffile.imread(tmp_path / "clone/mask.tif"))


def test_it_segments_from_another_directory(folder: Path, tmp_path: Path) -> None:
    """Results land where it was called; the mask is the one that packing found in a process of its own."""
    words = ["--config_file", str(folder / "configs/inference.json"), "--stack", str(folder / "selftest/slice.tif")]
    found = mask_of(folder, words, tmp_path, "mine")
    assert found.any() and np.array_equal(found, tifffile.imread(folder / "selftest/mask.tif"))


@pytest.mark.parametrize("inside", [True, False])
def test_it_trains_from_inside_and_from_another_directory(
    inside: bool, folder: Path, packed: Path, tmp_path: Path
) -> None:
    root = "" if inside else f"{folder}/"
    small = {"max_epochs": 1, "patches_per_epoch": 2, "batch_size": 2, "val_slices": 1, "device": "cpu"}
    words = ["run", "training", "--config_file", f"{root}configs/train.json", "--weights", f"{root}models/model.pt"]
    words += ["--dataset_dir", str(packed.parent / "cell_A"), "--output_dir", str(tmp_path / "run")]
    words += [word for key, value in small.items() for word in (f"--{key}", str(value))]
    ended = cli.bundle_words(words, folder if inside else tmp_path)
    assert ended.code == 0, ended.error
    record = json.loads((tmp_path / "run/model.json").read_text())
    assert record["started_from_sha256"] == sha256(folder / "models/model.pt")


def test_a_misspelt_key_is_refused_in_it_too(folder: Path, tmp_path: Path) -> None:
    ended = cli.bundle_words(["run", "--config_file", str(folder / "configs/inference.json"), "--stak", "a"], tmp_path)
    assert (ended.code, ended.error) == (2, "error: --stak is not a key of the given config: did you mean --stack?")


def test_monai_loads_it_strictly(folder: Path, tmp_path: Path) -> None:
    with cli.own_process([], tmp_path):
        network: Any = monai.bundle.load(NAME, bundle_dir=folder.parent, workflow_type="inference", device="cpu")
    state = torch.load(folder / "models/model.pt", weights_only=True)
    assert state.keys() == network.state_dict().keys()
    assert all(torch.equal(value, state[key]) for key, value in network.state_dict().items())
    patches = torch.rand(2, 1, 128, 128, generator=torch.Generator().manual_seed(0))
    scripted = torch.jit.load(folder / "models/model.ts").eval()
    with torch.no_grad():
        torch.testing.assert_close(scripted(patches), network.eval()(patches), rtol=1e-5, atol=1e-5)


def test_the_script_carries_config_and_metadata(folder: Path) -> None:
    from monai.data import load_net_with_metadata

    _, meta, extra = load_net_with_metadata(str(folder / "models/model.ts"), more_extra_files=["inference.json"])
    assert meta["name"] == "Lithium dendrites in X-ray CT" and "timestamp" not in meta
    assert json.loads(extra["inference.json"])["inferer"]["_target_"] == f"{NAME}.inferers.SliceInferer"


def test_monais_own_checks_pass(folder: Path) -> None:
    meta = ["--meta_file", "configs/metadata.json"]
    schema = ["--filepath", f"{NAME}/sharing/meta_schema_20240725.json"]
    assert cli.bundle_words(["verify_metadata", *meta, *schema], folder).code == 0
    network = ["verify_net_in_out", "network_def", "--config_file", "configs/inference.json", *meta, "--device", "cpu"]
    assert cli.bundle_words(network, folder).code == 0


def test_an_unpacked_bundle_hands_on_the_same_python_under_any_name(folder: Path) -> None:
    """So the clone recognises as its own what was packed from an unpacked bundle under another name."""
    inside = Source(folder, folder / NAME, folder / "tools", folder / "docs/README.md")
    assert python_texts(inside, "next_one") == python_texts(here(), "next_one")
    assert not [name for name, text in python_texts(inside, "next_one").items() if NAME in text]


def test_the_packer_states_what_the_run_does_not(packed: Path) -> None:
    base = json.loads((here().bundle / "configs/metadata.json").read_text())
    record = read_record(packed.parent / "run/model.pt")
    meta = metadata_of(base, record, own_weights=False, version="2.0.0", trained_on="12 slices", authors="Lab B")
    assert (meta["version"], meta["authors"], meta["data_source"]) == ("2.0.0", "Lab B", "12 slices")
    assert meta["changelog"]["2.0.0"] == "BasicUNet trained on 12 slices"


def test_the_model_zoos_verification_passes_from_its_own_folder(packed: Path, tmp_path: Path) -> None:
    """The calls of its ci/verify_bundle.py, with nothing but the bundle's place told: no path leads to the package."""
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(tmp_path / "models")
    root = tmp_path / "models" / NAME
    own = f"{NAME}.networks.YNet"
    packs.settled(root / "configs/inference.json", "network_def", {"_target_": own, "_requires_": FINDS_PACKAGE})
    torch.save(YNet().state_dict(), root / "models/model.pt")
    given = {
        "net_id": "network_def",
        "meta_file": str(root / "configs/metadata.json"),
        "config_file": str(root / "configs/inference.json"),
        "bundle_root": str(root),
    }
    with cli.own_process([], tmp_path):
        monai.bundle.verify_net_in_out(**given, device="cpu")
        exported, weights = str(root / "models/verify_model.ts"), str(root / "models/model.pt")
        monai.bundle.ckpt_export(**given, filepath=exported, ckpt_file=weights)
    assert torch.jit.load(exported)(torch.rand(1, 1, 128, 128)).shape == (1, 1, 128, 128)


def test_a_network_of_the_package_brings_its_path(tmp_path: Path) -> None:
    source = here()
    changes = {"network_def": {"_target_": "tiny.networks.YNet"}}
    config = json.loads(config_text(source, source.bundle / "configs/inference.json", "tiny", changes))
    assert config["network_def"] == {"_target_": "tiny.networks.YNet", "_requires_": FINDS_PACKAGE}
    assert FINDS_PACKAGE in config["initialize"]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("9", "gives no name for a Python package"),
        ("--", "gives no name for a Python package"),
        ("torch", "the Python module torch would be hidden"),
        ("json", "the Python module json would be hidden"),
        ("scripts", "the Python module scripts would be hidden"),
    ],
)
def test_a_name_that_cannot_be_a_package_is_refused(name: str, sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        package_name(name, "custom")


def test_only_the_package_is_renamed() -> None:
    text = "from custom.stack import x  # a custom reader, custom/stack; bundle/configs/train.json, bundle/docs"
    wanted = "from tiny.stack import x  # a custom reader, tiny/stack; configs/train.json, bundle/docs"
    assert renamed(text, "custom", "tiny") == wanted
    assert renamed("tiny.stack, tiny_2", "tiny", "other") == "other.stack, tiny_2"


def test_weights_without_a_record_or_a_network_are_refused(packed: Path, tmp_path: Path) -> None:
    run = packed.parent
    target = tmp_path / "bundle.zip"
    with pytest.raises(BadInput, match=r"start\.json: does not say how start\.pt came about"):
        pack_bundle(target, run / "start.pt")
    with pytest.raises(BadInput, match=r"another network than any of the bundle's; give --network"):
        pack_bundle(target, run / "run/model.pt")
    with pytest.raises(BadInput, match=r"another network than that of .*network_ynet\.json \('.*' is missing\)"):
        pack_bundle(target, run / "run/model.pt", network=here().bundle / "configs/network_ynet.json")
    shutil.copytree(run / "run", tmp_path / "run")
    shutil.copyfile(run / "start.pt", tmp_path / "run/model.pt")
    with pytest.raises(BadInput, match=r"model\.json: describes other weights than model\.pt"):
        pack_bundle(target, tmp_path / "run/model.pt")
    with pytest.raises(BadInput, match=r"give --output a name that ends in \.zip"):
        pack_bundle(tmp_path / "bundle.tar")
    assert not target.exists()


@pytest.mark.parametrize(
    ("name", "words", "sentence"),
    [
        ("pack_bundle.py", ["--output", "torch.zip"], "error: --name torch: the Python module torch would be hidden"),
        ("check_bundle.py", ["none.zip"], "error: none.zip: cannot be opened (No such file or directory); fetch"),
        ("check_bundle.py", ["none.zip", "--selftest", "maybe"], "error: --selftest maybe: is unknown; give true or"),
    ],
)
def test_a_refusal_is_one_sentence_and_exit_code_2(
    name: str,
    words: list[str],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert script(name, *words, monkeypatch=monkeypatch) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.startswith(sentence) and printed.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_what_its_pages_link_to_travels_along(folder: Path) -> None:
    pages = sorted((folder / "docs").rglob("*.md"))
    links = [(page, link) for page in pages for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text())]
    assert {"keys.md", "stacks.md"} <= {link for _, link in links}
    gone = [link for page, link in links if "://" not in link and not (page.parent / link.partition("#")[0]).exists()]
    assert gone == [] and "bundle/configs" not in (folder / "docs/keys.md").read_text()


def test_the_commands_of_its_readme(
    folder: Path, packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From inside the folder, in their order; packing itself is what `packed` and the test of same bytes do."""
    text = (folder / "docs/README.md").read_text()
    lines = [line for block in re.findall(r"```bash\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    inside = packs.unpacked(packed, tmp_path)
    shutil.copytree(packed.parent / "cell_A", inside / "my_slices")
    shutil.copyfile(packed, inside / "runs.zip")
    kinds = []
    for words in map(shlex.split, lines):
        kinds.append(words[1] if words[1] != "-m" else words[words.index("monai.bundle") + 1])
        if kinds[-1] == "run":
            short = ["--max_epochs", "1", "--patches_per_epoch", "2"] if "training" in words else []
            ended = cli.bundle_words([*words[3:], *short], inside)
            assert ended.code == 0, ended.error
    assert kinds == ["run", "run", "run", "tools/pack_bundle.py", "tools/check_bundle.py"]
    found, wanted = (tifffile.imread(inside / f"{place}/mask.tif") for place in ("runs/selftest", "selftest"))
    assert np.count_nonzero(found != wanted) <= 1e-3 * wanted.size
    monkeypatch.syspath_prepend(str(inside))
    assert script("check_bundle.py", packed, monkeypatch=monkeypatch, folder=inside / "tools") == 0
    assert "are this installation's" in capsys.readouterr().out


def test_two_packs_of_one_name_are_not_mixed(packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second is refused before the minute that it takes."""
    monkeypatch.setattr(packing, "stage", lambda *_: pytest.fail("it has begun"))
    run = packed.parent / "run/model.pt"
    with complete_file(tmp_path / "ours.zip") as part:
        part.write_text("the first one")
        with pytest.raises(BadInput, match=r"ours\.zip: another process is writing it"):
            pack_bundle(tmp_path / "ours.zip", run, network=packed.parent / "network_tiny.json")
    assert (tmp_path / "ours.zip").read_text() == "the first one"
