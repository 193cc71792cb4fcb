"""The edge of the command line: misspelt keys, refusals in one sentence, the log file."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import cli
import pytest
from monai.bundle import ConfigParser

from custom.base.errors import BadInput
from custom.command_line import edge as command_line
from custom.command_line.config_keys import check_keys
from custom.command_line.edge import find_bad_input, install, start_log

CONFIGS = Path(__file__).resolve().parents[2] / "bundle" / "configs"
TRAIN = str(CONFIGS / "train.json")
STACKED = f"['{TRAIN}','{CONFIGS / 'evaluate.json'}']"


def words(*given: str, config: str = TRAIN) -> list[str]:
    return ["run", "training", "--config_file", config, *given]


@pytest.mark.parametrize(
    "given",
    [
        ("--max_epochs", "1"),
        ("--max_epochs=1",),
        ("--resume", "true"),
        ("--resume", "--max_epochs", "1"),
        ("--train#dataloader#batch_size", "4"),
        ("--train::dataloader::batch_size", "4"),
        ("--train#handlers#0#seed", "4"),
        ("--train#handlers#1#_disabled_", "true"),
        ("--network_def#dropout", "0.2"),
        ("--output-dir", "runs/a"),
        ("--meta_file", "m.json", "--logging_file", "l.conf", "--run_id", "training"),
    ],
)
def test_known_keys_pass(given: tuple[str, ...]) -> None:
    check_keys(words(*given))


@pytest.mark.parametrize(
    ("given", "refused", "cure"),
    [
        (("--max_epocs", "1"), "--max_epocs", "--max_epochs"),
        (("--max_epocs=1",), "--max_epocs", "--max_epochs"),
        (("-max_epocs", "1"), "--max_epocs", "--max_epochs"),
        (("--seed", "1", "--overwite", "true"), "--overwite", "--overwrite"),
        (("--trian#dataloader#batch_size", "4"), "--trian", "--train"),
        (("--train#dataloder#batch_size", "4"), "--train#dataloder", "--train#dataloader"),
        (("--train::dataloder::batch_size", "4"), "--train#dataloder", "--train#dataloader"),
        (("--grey_window#percentile", "[1,99]"), "--grey_window#percentile", "--grey_window#percentiles"),
        (("--train#handlers#99#seed", "4"), "--train#handlers#99", "docs/keys.md"),
        (("--seed#more", "4"), "--seed#more", "docs/keys.md"),
        (("--zzz", "1"), "--zzz", "remove it"),
    ],
)
def test_misspelt_keys_are_refused(given: tuple[str, ...], refused: str, cure: str) -> None:
    with pytest.raises(BadInput) as caught:
        check_keys(words(*given))
    message = str(caught.value)
    assert message.startswith(f"{refused} is not a key")
    assert cure in message
    assert "\n" not in message


def test_a_word_that_belongs_to_no_key() -> None:
    check_keys(["run", "training", "initialize", "--config_file", TRAIN])
    for more in (["slices"], ["--seed", "1", "3"]):
        with pytest.raises(BadInput, match=f"^{more[-1]}: is neither .* quotes$"):
            check_keys(words("--dataset_dir", "my", *more))


def test_a_key_given_twice_is_told(caplog: pytest.LogCaptureFixture) -> None:
    check_keys(words("--seed", "1", "--max_epochs", "2", "--seed=1", "--max-epochs", "3"))
    assert caplog.messages == ["--max_epochs is given more than once: 3 counts."]


def test_keys_of_a_file_stacked_on_top_are_known() -> None:
    check_keys(words("--section", "val", "--validate#handlers#0#pictures", "3", config=STACKED))
    with pytest.raises(BadInput, match="--section"):
        check_keys(words("--sektion", "val", config=STACKED))


def test_numbers_as_keys_of_a_yaml_file(tmp_path: Path) -> None:
    (tmp_path / "map.yaml").write_text("label_map: {1: lithium, 4: background}")
    stacked = f"['{TRAIN}','{tmp_path}/map.yaml']"
    check_keys(words("--label_map#4", "lithium", config=stacked))
    with pytest.raises(BadInput, match="--label_map#9 is not a key"):
        check_keys(words("--label_map#9", "lithium", config=stacked))


def test_every_key_of_the_published_configs_is_known() -> None:
    for name in ("train.json", "inference.json"):
        for key in json.loads((CONFIGS / name).read_text()):
            check_keys(["run", "--config_file", str(CONFIGS / name), f"--{key}", "1"])


@pytest.mark.parametrize("given", [[], ["verify_metadata", "--nonsense", "1"], ["run", "--nonsense", "1"]])
def test_other_commands_are_left_alone(given: list[str]) -> None:
    check_keys(given)


def test_install_reads_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    with cli.own_process(list(words("--max_epocs", "1"))):
        with pytest.raises(BadInput, match="max_epochs"):
            install()
        with pytest.raises(SystemExit) as ended:
            sys.excepthook(BadInput, BadInput("a.tif: is damaged"), None)
    assert ended.value.code == 2 and capsys.readouterr().err == "error: a.tif: is damaged\n"


def test_bad_input_is_found_through_the_parser() -> None:
    parser = ConfigParser(
        {"split": {"_target_": "custom.data.split_dataset", "dataset_dir": "/gone"}, "n": "$len(@split)"}
    )
    with pytest.raises(RuntimeError) as caught:
        parser.get_parsed_content("n")
    found = find_bad_input(caught.value)
    assert found is not None
    assert str(found).startswith("/gone")


def test_bad_input_is_found_in_cause_and_context() -> None:
    try:
        try:
            raise BadInput("a.tif: is damaged")
        except BadInput as error:
            raise RuntimeError("first") from error
    except RuntimeError:
        try:
            raise KeyError("second")
        except KeyError as error:
            assert str(find_bad_input(error)) == "a.tif: is damaged"
    assert find_bad_input(RuntimeError("nothing")) is None
    assert find_bad_input(None) is None


def test_excepthook(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    passed: list[BaseException] = []
    monkeypatch.setattr(sys, "__excepthook__", lambda kind, error, trace: passed.append(error))
    with pytest.raises(SystemExit) as ended:
        command_line._excepthook(BadInput, BadInput("a.tif: is damaged; copy it again"), None)
    assert ended.value.code == 2
    assert capsys.readouterr().err == "error: a.tif: is damaged; copy it again\n"
    bug = RuntimeError("a bug")
    command_line._excepthook(RuntimeError, bug, None)
    assert passed == [bug]


@pytest.fixture
def root_logger() -> Iterator[logging.Logger]:
    root = logging.getLogger()
    before = list(root.handlers)
    yield root
    for handler in [handler for handler in root.handlers if handler not in before]:
        root.removeHandler(handler)
        handler.close()


def test_log_file(tmp_path: Path, root_logger: logging.Logger) -> None:
    start_log(tmp_path / "deep" / "out")
    root_logger.warning("epoch %d", 3)
    assert (tmp_path / "deep" / "out" / "train.log").read_text().endswith(" epoch 3\n")
    start_log(tmp_path / "other", writes=False)
    assert not (tmp_path / "other").exists()


def test_log_folder_that_cannot_be_made(tmp_path: Path, root_logger: logging.Logger) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match=r"file.*cannot be written to.*--output_dir"):
        start_log(tmp_path / "file")
