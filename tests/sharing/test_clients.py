"""Programs that run a bundle find the command line's mask; each is followed by its page in bundle/docs/clients.

MONAI Label and MONAI Deploy ask for other versions than the project: their tests take the environments that the pages
make, `.venv-label` and `.venv-deploy` in the repository's root, and skip where there is none.
"""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cli
import nibabel
import numpy as np
import packs
import pytest
import tifffile
from packs import NAME

from custom.metrics.masks import dice_of

VOLUME = cli.volume((5, 140, 150))
pytestmark = pytest.mark.client


def page(folder: Path, name: str) -> str:
    return (folder / f"docs/clients/{name}.md").read_text()


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def python_of(name: str) -> Path:
    """The Python of a page's environment."""
    found = cli.ROOT / f".venv-{name}/bin/python"
    if not found.is_file():
        pytest.skip(f"there is no .venv-{name}; bundle/docs/clients/monai_{name}.md says how to make it")
    return found


def environment_of(python: Path) -> dict[str, str]:
    """As after `activate`."""
    return cli.ENVIRONMENT | {"PATH": f"{python.parent}:{cli.ENVIRONMENT['PATH']}"}


@pytest.fixture
def there(packed: Path, tmp_path: Path) -> Iterator[Path]:
    """A directory with the unpacked bundle and the stack, as TIFF and as NIfTI."""
    packs.unpacked(packed, tmp_path)
    shutil.copy(packed, tmp_path)
    (tmp_path / "my_stacks/labels/final").mkdir(parents=True)
    tifffile.imwrite(tmp_path / "my_stack.tif", VOLUME, photometric="minisblack")
    for number in range(4):
        grey = VOLUME if number == 0 else cli.volume((5, 140, 150), seed=number)
        affine = np.diag([-0.00133, 0.002, 0.003, 1.0])
        nibabel.save(nibabel.Nifti1Image(grey.T.astype(np.int32), affine), tmp_path / f"my_stacks/cell_{number}.nii.gz")
        label = (grey > np.percentile(grey, 80)).T.astype(np.uint8)
        if number:
            name = f"my_stacks/labels/final/cell_{number}.nii.gz"
            nibabel.save(nibabel.Nifti1Image(label, affine), tmp_path / name)
    yield tmp_path
    packs.forget(NAME)


def command_lines_mask(there: Path, **options: object) -> np.ndarray:
    words = [
        "run",
        "--config_file",
        f"{NAME}/configs/inference.json",
        "--stack",
        "my_stack.tif",
        "--output_format",
        "tiff",
    ]
    given = {"output_dir": "by_command_line", "device": "cpu", "precision": "fp32", **options}
    ended = cli.bundle_words(words + [word for key, value in given.items() for word in (f"--{key}", str(value))], there)
    assert ended.code == 0, ended.error
    return tifffile.imread(there / "by_command_line/mask.tif")


def assert_same(found: np.ndarray, wanted: np.ndarray) -> None:
    assert found.shape == wanted.shape and wanted.any()
    assert dice_of(found > 0, wanted > 0) >= 0.999


def test_the_federated_client(there: Path, packed: Path) -> None:
    """The page's own program; its scores and its mask are those of the command line."""
    shutil.copytree(packed.parent / "cell_A", there / "my_slices")
    [program] = blocks(page(there / NAME, "federated"), "python")
    short = '"patches_per_epoch": 2, "batch_size": 2, "precision": "fp32", "max_minutes": 0'
    program = program.replace('"max_minutes": 0', short)
    (there / "program.py").write_text(program)
    ended = subprocess.run(
        [sys.executable, "program.py"], cwd=there, env=cli.ENVIRONMENT, capture_output=True, text=True, timeout=200
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    told = [json.loads(line[2:].replace("'", '"')) for line in ended.stdout.splitlines() if re.match(r"[01] {", line)]
    assert len(told) == 2
    rows = (there / "runs/federated/metrics.csv").read_text().splitlines()
    assert len(rows) == 1 + 2 * 2
    words = ["run", "--config_file", str([f"{NAME}/configs/train.json", f"{NAME}/configs/evaluate.json"])]
    words += ["--dataset_dir", "my_slices", "--section", "val", "--weights", "federated.pt", "--output_dir", "scores"]
    outcome = cli.bundle_words([*words, "--device", "cpu", "--precision", "fp32"], there)
    assert outcome.code == 0, outcome.error
    scores = json.loads((there / "scores/metrics.json").read_text())
    federated = json.loads((there / "runs/federated_scores/metrics.json").read_text())
    assert all(scores[name] == federated[name] for name in scores if name[:3] in ("dsc", "iou"))
    assert told[-1]["val_mdsc"] == pytest.approx(scores["dsc_a"])
    assert command_lines_mask(there, weights="federated.pt").any()


@pytest.mark.parametrize("form", ["models/model.ts", None])
def test_monai_deploy(form: str | None, there: Path) -> None:
    python = python_of("deploy")
    [app] = blocks(page(there / NAME, "monai_deploy"), "python")
    assert 'BUNDLE / "models/model.ts"' in app
    (there / "app.py").write_text(app if form else app.replace(' / "models/model.ts"', ""))
    line = [str(python), "app.py", NAME, "my_stack.tif", "mask.npy"]
    ended = subprocess.run(line, cwd=there, env=cli.ENVIRONMENT, capture_output=True, text=True, timeout=200)
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert_same(np.load(there / "mask.npy"), command_lines_mask(there, precision="auto"))


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def asked(address: str, data: bytes | None = None, kind: str = "application/json") -> bytes:
    request = urllib.request.Request(address, data, {"Content-Type": kind} if data else {})
    with urllib.request.urlopen(request, timeout=200) as answer:
        content: bytes = answer.read()
        return content


def until(found: Callable[[], Any], seconds: float = 120.0) -> Any:
    """What `found` returns once it neither raises nor returns nothing."""
    end = time.monotonic() + seconds
    while True:
        try:
            if answer := found():
                return answer
        except OSError:
            pass
        assert time.monotonic() < end
        time.sleep(0.5)


@contextmanager
def served(there: Path, python: Path) -> Iterator[str]:
    """MONAI Label by the command of its page; yields its address."""
    port = free_port()
    [command] = [
        line
        for line in "".join(blocks(page(there / NAME, "monai_label"), "bash")).splitlines()
        if "start_server" in line
    ]
    with open(there / "server.log", "w") as log:
        line = f"exec {python.parent}/{command.replace('8000', str(port))}"
        server = subprocess.Popen(["bash", "-c", line], cwd=there, env=environment_of(python), stdout=log, stderr=log)
    try:
        address = f"http://127.0.0.1:{port}"
        until(lambda: asked(f"{address}/info/"))
        yield address
    finally:
        server.terminate()
        server.wait(30)


def test_monai_label(there: Path) -> None:
    """Infers, trains, and infers with what was trained."""
    python = python_of("label")
    apps = [str(python.with_name("monailabel")), "apps", "--download", "--name", "monaibundle", "--output", "apps"]
    subprocess.run(apps, cwd=there, env=environment_of(python), check=True, capture_output=True, timeout=100)
    bundle = there / f"apps/monaibundle/model/{NAME}"
    shutil.copytree(there / NAME, bundle)
    with served(there, python) as address:
        info = json.loads(asked(f"{address}/info/"))
        assert info["models"][NAME]["labels"] == {"lithium": 1}
        parts = b'--x\r\nContent-Disposition: form-data; name="params"\r\n\r\n{"device": "cpu"}\r\n--x--\r\n'
        question = f"{address}/infer/{NAME}?image=cell_0&output=image"
        (there / "mask.nii.gz").write_bytes(asked(question, parts, "multipart/form-data; boundary=x"))
        mask: Any = nibabel.load(there / "mask.nii.gz")
        assert_same(np.asarray(mask.dataobj).T, command_lines_mask(there, precision="auto"))
        np.testing.assert_allclose(mask.affine, np.diag([-0.00133, 0.002, 0.003, 1.0]), atol=1e-6)
        asked(f"{address}/train/{NAME}", b'{"max_epochs": 1, "device": "cpu", "val_split": 0.34}')
        record = until(
            lambda: (there / "runs/transforcnn/model.json").is_file() and (there / "runs/transforcnn/model.json")
        )
        told = json.loads(record.read_text())
        assert (told["val"], told["train"]) == (["cell_1"], ["cell_2", "cell_3"])
        assert told["dataset_dir"] == str(there / "my_stacks")
        shutil.copyfile(there / "runs/transforcnn/model.pt", bundle / "models/model.pt")
        (there / "mask.nii.gz").write_bytes(asked(question, parts, "multipart/form-data; boundary=x"))
        trained = command_lines_mask(
            there, weights="runs/transforcnn/model.pt", output_dir="by_command_line", overwrite="true", precision="auto"
        )
        assert_same(np.asarray(nibabel.load(there / "mask.nii.gz").dataobj).T, trained)
    assert not (there / "data").exists()  # no phantom was made for a training that has data
