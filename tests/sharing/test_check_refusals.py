"""Whatever is wrong with a packed bundle is told in one sentence; nothing is unpacked or executed."""

from __future__ import annotations

import json
import pickle
import shutil
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import packs
import pytest
import torch
from packs import NAME, refusal, settled, untouched

from custom.sharing.archive import entry

pytestmark = pytest.mark.slow

Rewrite = Callable[[zipfile.ZipFile], object]


def with_member(info: zipfile.ZipInfo | str, content: bytes = b"x") -> Rewrite:
    return lambda archive: archive.writestr(info, content)


def linked(name: str) -> zipfile.ZipInfo:
    info = entry(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def compressed(name: str) -> zipfile.ZipInfo:
    info = entry(name)
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


FORMS = {
    "parent folder": (with_member(f"{NAME}/../../evil.py"), "would be unpacked outside the bundle's folder"),
    "absolute path": (with_member("/etc/evil.txt"), "would be unpacked outside the bundle's folder"),
    "drive": (with_member("C:/evil.txt"), "would be unpacked outside the bundle's folder"),
    "backslashes": (with_member(f"{NAME}\\..\\evil.txt"), "would be unpacked outside the bundle's folder"),
    "link": (with_member(linked(f"{NAME}/docs/link.txt"), b"/etc/passwd"), "is a link"),
    "folder": (with_member(f"{NAME}/docs/"), "is not a plain file"),
    "bomb": (with_member(compressed(f"{NAME}/docs/zeros.txt"), bytes(50_000_000)), "is compressed, which a packed"),
    "other case": (with_member(f"{NAME}/license"), "is of a kind that no bundle holds"),
    "twice": (with_member(f"{NAME}/Requirements.txt"), "is there twice"),
    "library": (with_member(f"{NAME}/torch.so"), "is of a kind that no bundle holds"),
    "hidden": (with_member(f"{NAME}/.hidden.py"), "has a name that no file of a bundle has"),
    "unlisted": (with_member(f"{NAME}/docs/more.md"), "docs/more.md is not listed in its SHA256SUMS"),
    "second folder": (with_member("other/docs/more.md"), "does not hold one folder named as a bundle"),
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("case", FORMS)
def test_a_faulty_form(case: str, packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rewrite, sentence = FORMS[case]
    copy = Path(shutil.copy(packed, tmp_path / "copy.zip"))
    with zipfile.ZipFile(copy, "a") as archive:
        rewrite(archive)
    with untouched(monkeypatch, tmp_path):
        assert sentence in refusal(copy)


def test_a_size_that_is_a_lie(packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Members that share their bytes: the directory promises more than the file holds."""
    copy = Path(shutil.copy(packed, tmp_path / "copy.zip"))
    with zipfile.ZipFile(copy, "a") as archive:
        first = archive.getinfo(f"{NAME}/models/model.pt")
        for i in range(40):
            twin = entry(f"{NAME}/docs/{i}.txt")
            twin.header_offset, twin.CRC = first.header_offset, first.CRC
            twin.file_size = twin.compress_size = first.file_size
            archive.filelist.append(twin)
        archive._didModify = True  # type: ignore[attr-defined]
    with untouched(monkeypatch, tmp_path):
        assert "would unpack to" in refusal(copy)


def test_a_member_that_is_not_what_the_sums_say(packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The zip itself is right: its checksums and form are those of the changed text."""
    copy = tmp_path / "copy.zip"
    with zipfile.ZipFile(packed) as archive, zipfile.ZipFile(copy, "w") as target:
        for name in archive.namelist():
            target.writestr(entry(name), archive.read(name) + (b"\n" if name.endswith("/LICENSE") else b""))
    with untouched(monkeypatch, tmp_path):
        assert "LICENSE is not what its SHA256SUMS says" in refusal(copy)


class Shell:
    """Unpickled, it would make a file."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.trace,)


def in_config(name: str, key: str, value: object) -> packs.Change:
    return lambda folder: settled(folder / "configs" / name, key, value)


def without(relative: str) -> packs.Change:
    return lambda folder: (folder / relative).unlink()


def without_version(folder: Path) -> None:
    path = folder / "configs/metadata.json"
    path.write_text(json.dumps({k: v for k, v in json.loads(path.read_text()).items() if k != "version"}))


def other_values(folder: Path) -> None:
    state = torch.load(folder / "models/model.pt", weights_only=True)
    torch.save({key: value + 1 for key, value in state.items()}, folder / "models/model.pt")


def diverged(folder: Path) -> None:
    state = torch.load(folder / "models/model.pt", weights_only=True)
    torch.save({key: value * torch.nan for key, value in state.items()}, folder / "models/model.pt")


def appended(relative: str, text: str) -> packs.Change:
    return lambda folder: (folder / relative).write_text((folder / relative).read_text() + text)


def duplicated(folder: Path) -> None:
    path = folder / "configs/inference.json"
    path.write_text(path.read_text().replace("{", '{"run": 1,', 1))


CONTENTS: dict[str, tuple[packs.Change, str]] = {
    "no weights": (without("models/model.pt"), "models/model.pt is missing from it"),
    "no inference": (without("configs/inference.json"), "configs/inference.json is missing from it"),
    "another network": (
        packs.other_weights,
        "model.pt holds the weights of another network ('conv_0.conv_0.conv.weight'",
    ),
    "NaN": (diverged, "model.pt is of a training that diverged ("),
    "two files differ": (other_values, "model.pt and model.safetensors differ ("),
    "no version": (without_version, "metadata.json is not valid (it: 'version' is a required property)"),
    "untold version": (in_config("metadata.json", "version", "9.9"), "has no changelog of version 9.9"),
    "no network format": (in_config("metadata.json", "network_data_format", 3), "is not valid (network_data_format: 3"),
    "newer MONAI": (in_config("metadata.json", "monai_version", "99.0"), "pip install 'monai>=99.0'"),
    "newer torch": (in_config("metadata.json", "pytorch_version", "99.1"), "pip install 'torch>=99.1'"),
    "absent package": (
        in_config("metadata.json", "required_packages_version", {"no-such-package": "1.0"}),
        "(no-such-package is not installed): pip install 'no-such-package>=1.0'",
    ),
    "no version number": (in_config("metadata.json", "numpy_version", "new"), "states no version of numpy (new)"),
    "unknown target": (
        in_config("inference.json", "extra", {"_target_": f"{NAME}.networks.NoSuchNet"}),
        f"inference.json calls '{NAME}.networks.NoSuchNet' at extra, which is not of MONAI, torch, ignite or the bundle",
    ),
    "foreign target": (
        in_config("train.json", "extra", {"_target_": "subprocess.run", "args": ["true"]}),
        "train.json calls 'subprocess.run' at extra",
    ),
    "shell in an expression": (
        in_config("evaluate.json", "extra", ["$__import__('os').system('touch executed')"]),
        "evaluate.json evaluates \"$__import__('os').system('touch executed')\" at extra#0",
    ),
    "shell in the network": (
        in_config("inference.json", "network_def", "$__import__('os').system('touch executed')"),
        "inference.json evaluates",
    ),
    "shell in the metadata": (
        in_config("metadata.json", "task", "$__import__('os').system('touch executed')"),
        "metadata.json evaluates",
    ),
    "another file's text": (
        in_config("train.json", "extra", "%/elsewhere/other.json::run"),
        "train.json reads '%/elsewhere/other.json",
    ),
    "a key twice": (duplicated, "inference.json is no JSON config (a key is there twice)"),
    "no JSON": (appended("configs/train.json", "}"), "train.json is no JSON config"),
    "other Python": (
        appended(f"{NAME}/base/errors.py", "\nprint()\n"),
        f"{NAME}/base/errors.py is not this installation's Python",
    ),
    "less Python": (without(f"{NAME}/running/lock.py"), f"{NAME}/running/lock.py is not this installation's Python"),
    "hiding Python": (
        lambda folder: (folder / "torch.py").write_text("print()"),
        "torch.py is not this installation's",
    ),
    "evaluated logging": (appended("configs/logging.conf", "\n"), "configs/logging.conf is not this installation's"),
}


@pytest.mark.parametrize("case", CONTENTS)
def test_a_faulty_content(case: str, packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change, sentence = CONTENTS[case]
    copy = packs.changed(packed, tmp_path, change)
    with untouched(monkeypatch, tmp_path):
        assert sentence in refusal(copy)


@pytest.mark.parametrize("relative", ["models/model.pt", "models/more.pt"])
def test_pickled_code_is_not_unpickled(
    relative: str, packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace = tmp_path / "executed"
    pickle.loads(pickle.dumps(Shell(trace)))
    trace.unlink()  # so this is what would happen
    copy = packs.changed(packed, tmp_path, lambda folder: torch.save({"a": Shell(trace)}, folder / relative))
    with untouched(monkeypatch, tmp_path):
        assert f"{relative} holds more than tensors and is not opened further" in refusal(copy)
    assert not trace.exists()


def test_what_is_trusted_is_told_and_not_run(packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def change(folder: Path) -> None:
        appended(f"{NAME}/base/errors.py", "\nprint()\n")(folder)
        settled(folder / "configs/inference.json", "network_def", "$__import__('os').system('touch executed')")

    copy = packs.changed(packed, tmp_path, change)
    told: list[str] = []
    with untouched(monkeypatch, tmp_path):
        assert packs.check_bundle(copy, trusted=True, say=told.append) == NAME
    assert f"  !! {NAME}/base/errors.py: is not this installation's" in told
    assert "whether models/model.pt fits its network is not checked: that would run what is marked." in told
