"""The page of a segmentation, for one class and for several."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from custom.cell_page.page import write_page
from custom.segmenting.page import segmentation_page

TOLD = {
    "stack": "scans/my <cell>.tif",
    "mask": "mask.zarr",
    "voxels": 1000,
    "outside_voxels": 0,
    "voxel_size_um": [1, 1, 1],
    "command": "python -m monai.bundle run",
}


def test_one_class(tmp_path: Path) -> None:
    rows = [
        {"threshold": t, "lithium_voxels": n, "lithium_um3": n, "volume_fraction": n / 1000}
        for t, n in ((0.3, 70), (0.7, 40))
    ]
    amounts = {"lithium_voxels": 50, "lithium_um3": 50.0, "lithium_mm3": 5e-8, "volume_fraction": 0.05}
    Image.new("RGB", (2000, 10), "red").save(tmp_path / "slice_00012.png")
    tables = {"profile_z.csv": [{"z": z, "volume_fraction": z / 10} for z in range(5)]}
    given = TOLD | amounts | {"lithium_by_threshold": rows}
    page = segmentation_page(given, ["lithium"], tables, [tmp_path / "slice_00012.png"])
    (card,) = page.cards
    assert (card.value, card.note) == ("50 um3", "5.000% of the stack; 40 to 70 um3 by threshold")
    assert (
        "50 voxels, 5.000 % of 1,000 voxels" in page.answer
        and page.slices[0][0] == "Slice 12"
        and len(page.charts) == 1
    )
    write_page(page, tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text()
    assert "my &lt;cell&gt;.tif" in text and "THREE" not in text and "http" not in text.replace("http://www.w3.org", "")


def test_several_classes() -> None:
    classes = {
        name: {"voxels": n, "volume_fraction": n / 1000, "by_threshold": []} for name, n in (("pit", 20), ("moss", 30))
    }
    tables = {f"profile_{axis}.csv": [{"pit_volume_fraction": 0.1, "moss_volume_fraction": None}] * 3 for axis in "zyx"}
    page = segmentation_page(TOLD | {"classes": classes, "voxel_size_um": None}, ["pit", "moss"], tables, [])
    assert [(card.name, card.value) for card in page.cards] == [("pit", "20 voxels"), ("moss", "30 voxels")]
    assert len(page.charts) == 6 and page.slices == []
