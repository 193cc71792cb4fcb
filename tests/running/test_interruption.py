"""Ctrl-C and SIGTERM: one sentence, the command that goes on, exit code 130 or 143, and nothing half-written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cli
import pytest
import torch
from ignite.engine import Engine

from custom.handlers import EpochSeed, checkpoint
from custom.running import interruption
from custom.running.interruption import Interrupted
from custom.running.slab_store import SlabStore

START = """
import os, signal, sys, threading, time
from custom.running import interruption
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background
interruption.install()
interruption.goes_on(lambda: "all of it is kept", ("--resume", "true"))
number = getattr(signal, sys.argv[1])
"""
BODIES = {
    "plain": "signal.raise_signal(number)",
    "in a lock": "threading.Timer(0.1, os.kill, (os.getpid(), number)).start(); threading.Event().wait(9)",
    "twice": "os.kill(os.getpid(), number)\ntry: time.sleep(9)\nfinally: os.kill(os.getpid(), number); time.sleep(0.1)",
    "its consequence": "try: signal.raise_signal(number)\nexcept BaseException: raise RuntimeError('worker is killed')",
    "in a destructor": """
class Held:
    def __del__(self): signal.raise_signal(number)
held = Held(); del held; time.sleep(9)
""",
    "in an exec'd child": """
import subprocess
child = subprocess.Popen(["sleep", "9"], preexec_fn=lambda: None)
time.sleep(0.2); child.send_signal(number); assert child.wait() == -number; signal.raise_signal(number)
""",
}
FORKED = """
if os.fork() == 0:
    os.kill(os.getpid(), signal.SIGINT); time.sleep(0.1); os._exit(7)
assert os.waitstatus_to_exitcode(os.wait()[1]) == 7
signal.raise_signal(number)
"""


def ended(body: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-", *words]
    return subprocess.run(command, cwd=cli.ROOT, input=START + body, capture_output=True, text=True, timeout=30)


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("where", BODIES)
@pytest.mark.skipif(sys.platform == "win32", reason="has no such signals")
def test_one_sentence_and_the_exit_code(where: str, by: signal.Signals) -> None:
    found = ended(BODIES[where], by.name, "--overwrite", "true", "--resume=false", "a b")
    why = "interrupted" if by == signal.SIGINT else "ended by SIGTERM"
    assert found.returncode == 128 + by, found.stderr
    assert found.stderr.startswith(f"{why}: all of it is kept; go on with: ") and found.stderr.count("\n") == 1
    assert found.stderr.endswith(f"{by.name} 'a b' --resume true\n")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="has no fork")
def test_a_loaders_worker_leaves_it_to_its_parent() -> None:
    found = ended(FORKED, "SIGINT")
    assert found.returncode == 130 and found.stderr.count("\n") == 1, found.stderr


def test_files_that_belong_together_are_written_to_the_end() -> None:
    body = """
with interruption.shielded():
    with interruption.shielded(): signal.raise_signal(number); print("whole")
    print("and more")
print("not reached")
"""
    found = ended(body, "SIGINT")
    assert (found.returncode, found.stdout) == (130, "whole\nand more\n")
    last = ended("with interruption.shielded(last=True): signal.raise_signal(number)\nprint('done')", "SIGINT")
    assert (last.returncode, last.stdout, last.stderr) == (0, "done\n", "")


def test_nothing_is_kept_or_torchrun_is_to_be_called_again() -> None:
    none = ended("interruption.goes_on(lambda: None, ('--resume', 'true')); signal.raise_signal(number)", "SIGINT")
    assert none.stderr.startswith("interrupted; begin again with: ") and "--resume" not in none.stderr
    many = ended("interruption.goes_on(lambda: 'all', ('--a',), processes=2); signal.raise_signal(number)", "SIGINT")
    assert many.stderr == "interrupted: all; go on with: the same torchrun command --a\n"
    other = ended("interruption.goes_on(lambda: 'all', speaks=False); signal.raise_signal(number)", "SIGINT")
    assert (other.returncode, other.stderr) == (130, "")


def test_a_process_that_ignores_a_signal_goes_on_to_do_so() -> None:
    ignoring = "signal.signal(number, signal.SIG_IGN); interruption.install(); signal.raise_signal(number); print(1)"
    assert ended(ignoring, "SIGINT").stdout == "1\n"


# --- the commands ----------------------------------------------------------------------------------------------------


@pytest.fixture
def words(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    words = ["python", "-m", "monai.bundle", "run", "--overwrite", "true"]
    monkeypatch.setattr(sys, "orig_argv", words)
    yield words
    signal.signal(signal.SIGINT, before)


def test_an_interrupted_training(
    labelled_set: Path, tmp_path: Path, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the first epoch, where an older training lies there; while the second is saved; and what is printed works."""
    options = {"network_def": cli.TINY, "max_epochs": 3, "max_minutes": 0}

    def interrupted_in(epoch: int, *then: object, **more: object) -> str:
        seed, save = EpochSeed.__call__, checkpoint.save

        def seeded(self: EpochSeed, engine: Engine) -> None:
            seed(self, engine)
            if engine.state.epoch == epoch and not then:
                signal.raise_signal(signal.SIGINT)

        def saving(content: dict[str, object], path: Path) -> None:
            save(content, path)
            if "trainer" not in content and then:
                signal.raise_signal(signal.SIGINT)  # between model.pt and model.json

        with monkeypatch.context() as patching, pytest.raises(Interrupted):
            patching.setattr(EpochSeed, "__call__", seeded)
            patching.setattr(checkpoint, "save", saving)
            cli.train(labelled_set, tmp_path, **options, **more)
        return interruption.sentence(signal.SIGINT)

    assert cli.train(labelled_set, tmp_path, **{**options, "max_epochs": 1}).code == 0
    assert interrupted_in(1, overwrite=True) == f"interrupted; begin again with: {' '.join(words)}"
    told = interrupted_in(1, "saving", overwrite=True)
    assert told == (
        f"interrupted: the finished epochs are in {tmp_path}; go on with: python -m monai.bundle run --resume true"
    )
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert state["trainer"]["epoch"] == 1
    assert cli.train(labelled_set, tmp_path, resume=True, **options).code == 0
    assert not list(tmp_path.glob(".*"))


def test_an_interrupted_segmentation(tmp_path: Path, words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """While a slab is written in the writer's thread, and in an evaluator that has nothing to say about it."""
    grey = cli.volume((6, 60, 90))
    stack, weights = cli.saved(tmp_path, grey), cli.tiny_weights(tmp_path / "model.pt", grey)
    write = SlabStore.write

    def writing(store: SlabStore, start: int, *found: object, **kept: object) -> None:
        write(store, start, *found, **kept)  # type: ignore[arg-type]
        if start == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    with monkeypatch.context() as patching, pytest.raises(Interrupted):
        patching.setattr(SlabStore, "write", writing)
        cli.segment(stack, tmp_path / "out", weights, slab_height=1)
    told = interruption.sentence(signal.SIGTERM)
    assert told.endswith(f"slabs are finished and kept in {tmp_path / 'out'}; go on with: {' '.join(words)}")
    assert [file.name for file in (tmp_path / "out").iterdir()] == [".slabs"]
    assert cli.segment(stack, tmp_path / "out", weights, slab_height=1).code == 0


def test_a_command_ends_without_a_search_for_garbage() -> None:
    """What it imported is set aside first: a function that was registered before runs after, and sees it so."""
    program = "import atexit, gc; atexit.register(lambda: print(gc.get_freeze_count() > 1000)); "
    program += "from custom.running import interruption; interruption.install(); interruption.install(); print('done')"
    ended = subprocess.run([sys.executable, "-c", program], cwd=cli.ROOT, capture_output=True, text=True, timeout=60)
    assert ended.stdout.split() == ["done", "True"], ended.stderr
