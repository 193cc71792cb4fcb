"""Labelled slices, their split, the data sets over them, and a loader."""

from custom.data.datasets import PatchDataset, SliceDataset, expand_slices, thin
from custom.data.hold_out import scans_of_stems
from custom.data.known import noted_earlier, noted_scans, noted_split
from custom.data.labelled import common_folder, labelled_slices, stems, voxel_size_of_stems, voxel_sizes
from custom.data.listing import list_pairs
from custom.data.read_ahead import ReadAheadLoader
from custom.data.reading import Reading
from custom.data.sides import about_side, side_to_score
from custom.data.split import split_dataset
from custom.data.unlabelled import Unlabelled, unlabelled_slices
from custom.data.with_unlabelled import WithUnlabelled

__all__ = [
    "PatchDataset",
    "ReadAheadLoader",
    "Reading",
    "SliceDataset",
    "Unlabelled",
    "WithUnlabelled",
    "about_side",
    "common_folder",
    "expand_slices",
    "labelled_slices",
    "list_pairs",
    "noted_earlier",
    "noted_scans",
    "noted_split",
    "scans_of_stems",
    "side_to_score",
    "split_dataset",
    "stems",
    "thin",
    "unlabelled_slices",
    "voxel_size_of_stems",
    "voxel_sizes",
]
