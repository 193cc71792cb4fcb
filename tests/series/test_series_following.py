"""Agglomerates from scan to scan, by hand."""

from __future__ import annotations

import numpy as np

from custom.series.following import follow, links


def test_links_are_the_largest_overlaps() -> None:
    pairs = np.array(
        [[1, 1, 60], [2, 1, 40], [3, 2, 5], [3, 0, 95], [0, 2, 95], [4, 3, 30], [4, 4, 20], [4, 0, 50], [0, 1, 10]]
    )
    found = links(pairs, 4, 4)
    assert found.next.tolist() == [0, 1, 1, 0, 3] and found.last.tolist() == [0, 1, 0, 4, 4]
    assert found.seen[0].tolist()[1:] == [60, 40, 100, 100] and found.seen[1].tolist()[1:] == [110, 100, 30, 20]
    assert found.shared[0].tolist() == [0, 60, 40, 0, 30]


def test_events() -> None:
    """1 and 2 merge, 3 dissolves while another is born, 4 splits, 5 leaves the view, one comes into it."""
    pairs = [[1, 1, 60], [2, 1, 40], [3, 0, 30], [0, 2, 95], [4, 3, 30], [4, 4, 20], [0, 5, 2], [5, 0, 1]]
    voxels = [np.array([60, 40, 30, 50, 10]), np.array([110, 95, 30, 20, 15])]
    rows = follow(["a", "b"], voxels, [links(np.array(pairs), 5, 5)], 8.0)
    told = {(row["track"], row["scan"]): (row["event"], row["agglomerate"], row["other_track"]) for row in rows}
    assert {told[track, "a"][0] for track in range(1, 6)} == {"first"}
    assert told[1, "b"] == ("grew", 1, None) and told[2, "b"] == ("merged into", None, 1)
    assert told[3, "b"] == ("gone", None, None) and told[6, "b"] == ("born", 2, None)
    assert told[4, "b"] == ("shrank", 3, None) and told[7, "b"] == ("split from", 4, 4)
    assert told[5, "b"] == ("out of view", None, None) and told[8, "b"] == ("came into view", 5, None)
    assert len(rows) == len(told) == 13 and rows[0]["volume_um3"] == 480
