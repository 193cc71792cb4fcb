"""The settings of a training are those of its weights' use; others are refused, or taken with a word."""

from __future__ import annotations

import re
from typing import Any

import pytest

from custom.base.errors import BadInput
from custom.weights.trained import Trained

DEFAULT = {"percentiles": [0.5, 99.5], "fixed": None}
FIXED = {"percentiles": [0.5, 99.5], "fixed": [5000, 45000]}
WIDE = {"percentiles": [0, 100], "fixed": None}
NOTHING: dict[str, Any] = {"percentiles": None, "fixed": None}


def of(*records: dict[str, Any], resumed: bool = False) -> Trained:
    return Trained(tuple((f"{i}.pt", record) for i, record in enumerate(records)), resumed)


@pytest.mark.parametrize("resumed", [False, True])
@pytest.mark.parametrize("noted", [DEFAULT, FIXED, WIDE])
def test_the_window_of_the_weights(noted: dict[str, Any], resumed: bool, caplog: pytest.LogCaptureFixture) -> None:
    known = of({"grey_window": noted}, resumed=resumed)
    assert known.window(NOTHING, DEFAULT) == noted
    key = "fixed" if noted["fixed"] else "percentiles"
    same = NOTHING | {key: tuple(map(float, noted[key]))}
    assert tuple(known.window(same, DEFAULT)[key]) == same[key] and not caplog.text
    assert known.window({key: noted[key]}, DEFAULT)[key] == noted[key]  # an overlay that names one alone


def test_what_is_given_to_weights_of_another_window_is_taken_and_told(caplog: pytest.LogCaptureFixture) -> None:
    given = NOTHING | {"fixed": [1, 2]}
    assert of({"grey_window": WIDE}).window(given, DEFAULT)["fixed"] == [1, 2]
    assert of({"grey_window": FIXED}).window(NOTHING | {"percentiles": [1, 99]}, DEFAULT) == {
        "percentiles": [1, 99],
        "fixed": None,
    }
    first, second = (entry.getMessage() for entry in caplog.records)
    assert first == (
        "0.pt: was trained with the grey window percentiles 0 to 100, and --grey_window#fixed gives 1 to 2, which is taken."
    )
    assert "the grey window 5000 to 45000, and --grey_window#percentiles gives percentiles 1 to 99, which" in second


@pytest.mark.parametrize("given", [{"fixed": [1, 2]}, {"percentiles": [1, 99]}, {"fixed": "low"}, {"fixed": 3}])
def test_a_training_goes_on_with_its_window(given: dict[str, Any]) -> None:
    (key,) = given
    cure = f"leave --grey_window#{key} away, or give another --output_dir"
    with pytest.raises(BadInput, match=f"0.pt: this training was begun with the grey window .*; {cure}"):
        of({"grey_window": FIXED}, resumed=True).window(NOTHING | given, DEFAULT)


def test_without_a_record_the_defaults(caplog: pytest.LogCaptureFixture) -> None:
    for known in (of(), of({"loss": "bce"})):
        assert known.window(NOTHING, FIXED) == FIXED and known.patch_size(128) == 128
        assert known.window(NOTHING | {"fixed": [1, 2]}, DEFAULT) == {"percentiles": [0.5, 99.5], "fixed": [1, 2]}
        known.check(64)
    assert not caplog.text


def test_the_patch_size(caplog: pytest.LogCaptureFixture) -> None:
    assert of({"patch_size": 96}).patch_size(128) == 96
    of({"patch_size": 96}, resumed=True).check(96)
    with pytest.raises(BadInput, match="begun on patches of 96, and --patch_size gives 64; leave --patch_size away"):
        of({"patch_size": 96}, resumed=True).check(64)
    assert not caplog.text
    of({"patch_size": 96}).check(64)
    assert "0.pt: was trained on patches of 96, and --patch_size gives 64, which is taken." in caplog.text


def test_members_of_different_settings(caplog: pytest.LogCaptureFixture) -> None:
    known = of({"grey_window": DEFAULT, "patch_size": 96}, {}, {"grey_window": FIXED, "patch_size": 128})
    with pytest.raises(BadInput, match=r"2.pt: was trained with 5000 to 45000 and 0.pt with percentiles 0.5 to 99.5"):
        known.window(NOTHING, DEFAULT)
    with pytest.raises(
        BadInput, match=r"2.pt: was trained with patches of 128 and 0.pt with patches of 96 .*--patch_size"
    ):
        known.patch_size(128)
    assert known.window(NOTHING | {"fixed": [5000, 45000]}, DEFAULT)["fixed"] == [5000, 45000]
    known.check(128)
    assert len(caplog.records) == 2


def test_a_checkpoint_without_its_split_goes_on_with_its_seed_alone() -> None:
    of({"seed": 1}, resumed=True).check_seed(1)
    of({"seed": 1, "split": {}}, resumed=True).check_seed(2)
    with pytest.raises(BadInput, match="which --seed 1 drew; give that in place of --seed 2"):
        of({"seed": 1}, resumed=True).check_seed(2)


@pytest.mark.parametrize(
    ("key", "noted", "other", "same"),
    [
        ("label_255", "lithium", "unlabelled", "lithium"),
        ("label_key", "labels/li", "labels/pits", "/labels/li"),
        ("label_index", 1, [0], [1]),
    ],
)
def test_a_training_goes_on_with_its_labels(key: str, noted: Any, other: Any, same: Any) -> None:
    begun = of({"reading": {key: noted}}, resumed=True)
    with pytest.raises(BadInput, match=f"was begun with --{key} {noted}, .*; give --{key} {noted} again, or another"):
        begun.check_reading({key: other})
    for given in ({key: same}, {}):
        begun.check_reading(given)
    of({"reading": {key: noted}}).check_reading({key: other})  # of another data set
    of({}, resumed=True).check_reading({key: other})


MAP = {"1": "lithium", "4": "background", "7": 255}


def test_the_label_map_of_a_training(caplog: pytest.LogCaptureFixture) -> None:
    """Its evaluation and the training that goes on take it; labels of a new training may be another tool's."""
    record = {"reading": {"label_map": MAP}}
    assert of(record).label_map(None) is None and of({}).label_map(None, evaluating=True) is None
    assert of(record, resumed=True).label_map(None) == of(record).label_map(None, evaluating=True) == MAP
    assert of(record, resumed=True).label_map({"1": "lithium"}) == {"1": "lithium"}
    wider = {"reading": {"label_map": MAP | {"9": "lithium"}}}
    assert of(record, {}, wider).label_map(None, evaluating=True) == MAP | {"9": "lithium"}
    with pytest.raises(BadInput, match="1.pt: was trained with --label_map .* which differ in 4; give --label_map"):
        of(record, {"reading": {"label_map": MAP | {"4": "lithium"}}}).label_map(None, evaluating=True)


@pytest.mark.parametrize(
    ("noted", "given", "said"),
    [
        ({"label_map": MAP}, {"label_map": MAP | {"9": "lithium"}}, None),  # labels that came since need it
        ({"label_map": MAP}, {"label_map": {"01": "lithium", "4.0": "background", "7": "unlabelled"}}, None),
        (
            {"label_map": MAP},
            {"label_map": MAP | {"4": "lithium"}},
            "sends 4 to another class; give --label_map \"{'1': ",
        ),
        ({"label_map": MAP}, {"label_map": MAP | {"0": 255}}, "sends 0 to another class"),
        ({}, {"label_map": {"1": "lithium", "4": "lithium", "255": "lithium"}}, None),
        (
            {},
            {"label_map": {"1": 255, "4": "lithium"}},
            "begun without --label_map, .* sends 1 .*; leave --label_map away",
        ),
        ({"label_255": "unlabelled"}, {"label_map": {"255": "lithium"}}, "sends 255 to another class"),
    ],
)
def test_a_training_goes_on_with_its_label_map(noted: dict[str, Any], given: dict[str, Any], said: str | None) -> None:
    begun = of({"reading": noted}, resumed=True)
    if said is None:
        begun.check_reading(given)
        return
    with pytest.raises(BadInput, match=said):
        begun.check_reading(given)
    of({"reading": noted}).check_reading(given)


FIVE = ["electrode", "pit", "dendrite", "redeposited", "impurity"]


def test_the_classes_are_those_of_the_training() -> None:
    assert of().classes(None) == of({"loss": "bce"}).classes(None) == ["lithium"]
    assert of({"classes": FIVE}, {"classes": FIVE}).classes(None) == FIVE
    assert of({"classes": FIVE}).classes(tuple(FIVE)) == of().classes(FIVE) == FIVE


@pytest.mark.parametrize("given", [FIVE[:4], FIVE[::-1], ["lithium"]])
def test_weights_of_other_classes_or_another_order_are_refused(given: list[str]) -> None:
    both = re.escape(f"was trained for the classes {FIVE}, and --classes gives {given}; leave --classes away, or give ")
    with pytest.raises(BadInput, match=f"0.pt: {both}weights of these classes in this order"):
        of({"classes": FIVE}).classes(given)
    with pytest.raises(BadInput, match=f"{both}another --output_dir"):
        of({"classes": FIVE}, resumed=True).classes(given)


def test_members_of_different_classes_are_not_blended() -> None:
    with pytest.raises(BadInput, match=r"1.pt: was trained for the classes \['lithium'\] and 0.pt for \['electrode'"):
        of({"classes": FIVE}, {}).classes(None)


def test_the_folder_of_the_labels_is_that_of_the_training() -> None:
    noted = {"reading": {"label_folder": "classes"}}
    assert of(noted).label_folder(None) == of().label_folder(None, evaluating=True) == "labels"  # a new training
    assert of(noted).label_folder(None, evaluating=True) == of(noted, resumed=True).label_folder(None) == "classes"
    assert of(noted).label_folder("drawn", evaluating=True) == "drawn"
    with pytest.raises(
        BadInput, match="1.pt: was trained on labels in labels/ and 0.pt on those in classes/; give --label"
    ):
        of(noted, {}).label_folder(None, evaluating=True)
    begun = of(noted, resumed=True)
    begun.check_reading({"label_folder": "classes"})
    with pytest.raises(BadInput, match="begun with the labels in classes/, and --label_folder gives labels; leave"):
        begun.check_reading({})
