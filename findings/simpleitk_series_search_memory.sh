#!/usr/bin/env bash
# SimpleITK 2.5.7: ImageSeriesReader.GetGDCMSeriesIDs, which only tells what series a folder holds, takes as much memory as all of
# its voxels: 200 slices of half a MB cost 102 MB, 800 cost 404 MB. Reading the headers one by one (ReadImageInformation), which
# tells each file's series too, costs 3 MB. A scan of 2,000 slices of 2,000 x 2,000 voxels is 16 GB.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check simpleitk==2.5.7 pydicom==3.0.1 numpy==2.4.6
cd "$folder"
cat > write.py <<'PYTHON'
import sys
from pathlib import Path
import numpy as np
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

folder, count = Path(sys.argv[1]), int(sys.argv[2])
folder.mkdir()
series, study = generate_uid(), generate_uid()
for z in range(count):
    meta = FileMetaDataset()
    meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = ExplicitVRLittleEndian, CTImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    data = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
    data.Modality, data.SeriesInstanceUID, data.StudyInstanceUID = "CT", series, study
    data.Rows, data.Columns, data.SamplesPerPixel, data.PhotometricInterpretation = 512, 512, 1, "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = 16
    data.HighBit, data.PixelRepresentation = 15, 0
    data.PixelSpacing, data.ImageOrientationPatient = [1, 1], [1, 0, 0, 0, 1, 0]
    data.ImagePositionPatient, data.InstanceNumber = [0, 0, z], z + 1
    data.PixelData = np.zeros((512, 512), np.uint16).tobytes()
    data.save_as(folder / f"IM{z:04d}.dcm", enforce_file_format=True)
PYTHON
cat > look.py <<'PYTHON'
import re
import sys
from pathlib import Path
import SimpleITK

def peak():
    return int(re.search(r"VmHWM:\s*(\d+)", Path("/proc/self/status").read_text())[1]) / 1024

before = peak()
if sys.argv[2] == "search":
    found = SimpleITK.ImageSeriesReader.GetGDCMSeriesIDs(sys.argv[1])
else:
    found = set()
    for file in sorted(Path(sys.argv[1]).iterdir()):
        reader = SimpleITK.ImageFileReader()
        reader.SetFileName(str(file))
        reader.SetImageIO("GDCMImageIO")
        reader.ReadImageInformation()
        found.add(reader.GetMetaData("0020|000e"))
assert len(found) == 1
print(round(peak() - before))
PYTHON
for count in 200 800; do
    "$folder/venv/bin/python" write.py "$count" "$count"
    search=$("$folder/venv/bin/python" look.py "$count" search)
    headers=$("$folder/venv/bin/python" look.py "$count" headers)
    echo "$count slices, $((count / 2)) MB of voxels: search for series $search MB, headers one by one $headers MB"
    [[ "$search" -gt $((count * 45 / 100)) && "$headers" -lt $((count / 10)) ]]
done
