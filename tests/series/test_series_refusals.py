"""Lists and scans that cannot be a series: one sentence, exit code 2, nothing written."""

from __future__ import annotations

import json
from pathlib import Path

import cli
import numpy as np
import pytest
import tifffile
from growing import script, small_cell

from custom.base.errors import BadInput
from custom.series.listing import read_list

SHAPE = (12, 30, 20)
HEAD = "mask,charge_mAh_cm2"


def saved_mask(path: Path, size: float = 1.0, filled: bool = True) -> Path:
    voxels = np.zeros(SHAPE, np.uint8)
    voxels[4:8, 10:18, 5:12] = filled
    told = {"axes": "ZYX", "unit": "um", "spacing": size}
    tifffile.imwrite(path, voxels, imagej=True, resolution=(1 / size, 1 / size), metadata=told)
    return path


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"{HEAD}\na.tif,0\nmissing.tif,1\n", "list.csv: row 2: "),
        (f"{HEAD}\na.tif,0\nnotes.tif,1\n", "list.csv: row 2: "),
        (f"{HEAD}\na.tif,0\n", "list.csv: has 1 row, and a series two at least"),
        ("", "list.csv: has 0 rows, and a series two at least"),
        (
            "scan,charge_mAh_cm2\na.tif,0\nb.tif,1\n",
            "list.csv: has no column mask but scan, charge_mAh_cm2; give it a header",
        ),
        ("mask,soc\na.tif,0\nb.tif,1\n", "no column says how far the cycling is; add charge_mAh_cm2, time_h or cycle"),
        (f"{HEAD}\na.tif,0\nb.tif,much\n", "row 2 has much as charge_mAh_cm2, which has to be a number"),
        (f"{HEAD}\na.tif,0\nb.tif,\n", "row 2 has no charge_mAh_cm2, which has to be a number"),
        (f"{HEAD}\na.tif,0\nb.tif,nan\n", "row 2 has nan as charge_mAh_cm2, which has to be a number"),
        (f"{HEAD}\na.tif,1\nb.tif,1\n", "row 2 has charge_mAh_cm2 1 after 1, which does not rise; order the scans"),
        (f"{HEAD}\na.tif,0\n,1\n", "row 2 has no mask; give its file, or leave the row away"),
        (f"{HEAD},name\na.tif,0,x\nb.tif,1,x\n", "row 2 has the name x of another row"),
        (f"{HEAD},name\na.tif,0,x\nb.tif,1,../y\n", "row 2 has the name ../y, which no folder can have"),
        (f"{HEAD},electrodes\na.tif,0,\nb.tif,1,(5\n", "row 2 has the electrodes (5, which are no two positions"),
        (f"{HEAD}\na.tif,0\nlarge.tif,1\n", "large.tif has voxels of 2 x 2 x 2 um, and the first scan of 1 x 1 x 1 um"),
    ],
)
def test_lists(text: str, words: str, tmp_path: Path) -> None:
    for name, size in (("a", 1.0), ("b", 1.0), ("large", 2.0)):
        saved_mask(tmp_path / f"{name}.tif", size)
    (tmp_path / "notes.tif").write_text("no picture")
    (tmp_path / "list.csv").write_text(text)
    result = cli.run("measure", mask=tmp_path / "list.csv", output_dir=tmp_path / "out")
    assert result.code == 2 and words in result.error, (result.error, result.output)
    assert "\n" not in result.error and not (tmp_path / "out").exists()


@pytest.mark.parametrize("text", ['{"mask": "a.tif"}', "[1, 2]", "[{"])
def test_json_that_is_no_list(text: str, tmp_path: Path) -> None:
    (tmp_path / "list.json").write_text(text)
    with pytest.raises(BadInput, match="is no list of scans"):
        read_list(tmp_path / "list.json")
    with pytest.raises(BadInput, match="cannot be read"):
        read_list(tmp_path / "other.json")


def test_what_belongs_into_the_list(tmp_path: Path) -> None:
    mask = saved_mask(tmp_path / "a.tif")
    (tmp_path / "list.csv").write_text(f"{HEAD}\na.tif,0\na.tif,1\n")
    result = cli.run("measure", mask=tmp_path / "list.csv", stack=mask, output_dir=tmp_path / "out")
    assert result.code == 2 and "list.csv is a series; give it a column stack in place of --stack" in result.error
    assert not (tmp_path / "out").exists()


def test_scans_of_two_cells_do_not_register(tmp_path: Path) -> None:
    rows = []
    for seed in (0, 1):
        folder = tmp_path / str(seed)
        folder.mkdir()
        script().write_scans(small_cell(seed, 1), folder)
        rows.append({"mask": f"{seed}/mask_0.tif", "stack": f"{seed}/grey_0.tif", "cycle": seed})
    (tmp_path / "list.json").write_text(json.dumps(rows))
    result = cli.run("measure", mask=tmp_path / "list.json", output_dir=tmp_path / "out")
    assert result.code == 2 and "list.json: row 2: " in result.error
    assert "does not register to the first scan by grey values; they share " in result.error
    assert "% of the field of view and agree there by 0." in result.error and "leave the row away" in result.error
    assert not (tmp_path / "out").exists()


def test_lists_as_spreadsheets_write_them(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_bytes(
        "\ufeffname;mask;electrodes;time_h\r\nfresh;a.tif;[2,20];0\r\n;b.tif;e.json;4.5\r\n;;;\r\n".encode()
    )
    listed = read_list(tmp_path / "list.csv")
    assert listed.column == "time_h" and [scan.along for scan in listed.scans] == [0, 4.5]
    assert [scan.name for scan in listed.scans] == ["fresh", "002"]
    assert listed.scans[0].electrodes == [2, 20] and listed.scans[1].electrodes == str(tmp_path / "e.json")
    assert listed.scans[1].files == {"mask": str(tmp_path / "b.tif")}
