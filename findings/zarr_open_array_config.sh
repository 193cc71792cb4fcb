#!/usr/bin/env bash
# zarr-python 3.1.6: the config given to open_array is left aside where the array is there already, so that
# write_empty_chunks=True, which create_array obeys, has no effect and a chunk of zeros is not written; with_config works.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check zarr==3.1.6 numpy==2.3.5
found=$("$folder/venv/bin/python" - "$folder" << 'END'
import sys
import zarr

wanted = {"write_empty_chunks": True}


def chunks(name, opened):
    """How many of the two chunks are there after zeros were written to both."""
    opened(f"{sys.argv[1]}/{name}")[:] = 0
    return zarr.open_array(f"{sys.argv[1]}/{name}", mode="r").nchunks_initialized


def made(path):
    return zarr.create_array(path, shape=(4, 4), chunks=(2, 4), dtype="u1", config=wanted)


def opened_again(path):
    zarr.create_array(path, shape=(4, 4), chunks=(2, 4), dtype="u1")
    return zarr.open_array(path, mode="r+", config=wanted)


def with_config(path):
    zarr.create_array(path, shape=(4, 4), chunks=(2, 4), dtype="u1")
    return zarr.open_array(path, mode="r+").with_config(wanted)


print("create_array", chunks("a", made), "open_array", chunks("b", opened_again), "with_config", chunks("c", with_config))
END
)
echo "$found"
[ "$found" = "create_array 2 open_array 0 with_config 2" ]
