"""Export a network of the bundle, e.g. `python scripts/export_bundle.py --output_dir runs/exported --network unet`."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

if __name__ == "__main__":
    from custom.running.interruption import install

    install()  # before what takes seconds to import

from custom.base.errors import BadInput
from custom.base.readable import readable_streams
from custom.command_line.options import GivenPath
from custom.command_line.placement import check_place
from custom.sharing.exporting import DTYPES, FORMATS, export
from custom.sharing.fitting import declared_network


def main() -> int:
    readable_streams()
    parser = argparse.ArgumentParser(
        description="Write a network as torch.export, ONNX and TorchScript, any batch size."
    )
    parser.add_argument(
        "--output_dir", action=GivenPath, required=True, help="gets NETWORK_PRECISION.pt2, .onnx and .ts"
    )
    parser.add_argument("--network", help="transforcnn, the default, or NAME of a network_NAME.json")
    parser.add_argument("--weights", action=GivenPath, nargs="+", help="one file, or one for each member of E-Net")
    parser.add_argument("--precision", choices=DTYPES, default="fp32")
    parser.add_argument("--formats", choices=FORMATS, nargs="+", help="by default all that the precision allows")
    given = parser.parse_args()
    formats = given.formats or [kind for kind in FORMATS if (kind, given.precision) != ("onnx", "bf16")]
    try:
        check_place(given.output_dir)
        network, side = declared_network(given.network, given.weights)
        for kind in formats:
            path = given.output_dir / f"{given.network or 'network'}_{given.precision}.{kind}"
            found = export(network, path, side, given.precision)
            told = ", ".join(f"{value:.2g} at batch size {size}" for size, value in (found or {}).items())
            print(f"{path}: largest difference of a logit {told or 'not known, install onnxruntime'}", flush=True)
    except BadInput as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
