"""Tables for spreadsheets, byte by byte."""

from pathlib import Path

import pytest

from custom.report.csv_table import write_table


def test_a_table_is_that_of_rfc_4180(tmp_path: Path) -> None:
    rows = [{"z": 0, "share": 0.1, "name": 'a "b", c'}, {"z": 1, "share": None, "name": "µ"}]
    write_table(tmp_path / "table.csv", rows)
    expected = 'z,share,name\r\n0,0.1,"a ""b"", c"\r\n1,,µ\r\n'
    assert (tmp_path / "table.csv").read_bytes() == expected.encode()


def test_a_row_of_other_columns_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="fields not in"):
        write_table(tmp_path / "table.csv", [{"z": 0}, {"y": 1}])
    assert list(tmp_path.iterdir()) == []
