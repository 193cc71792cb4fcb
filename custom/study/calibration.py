"""Whether the networks' probabilities mean what they say, on the test side."""

from __future__ import annotations

from typing import Any

from custom.study.page import Table
from custom.study.plan import ENET, NETWORKS, Network, Study
from custom.study.reading import read_json

SHOWS = (
    "Reliability diagrams: of all voxels that a network gives about the same probability, the share that is lithium; "
    "on the dashed line probabilities mean what they say. Below, how many voxels each point stands for"
)


def measured(study: Study, network: Network) -> dict[str, Any]:
    """Calibration error, its bins, the volume's error, and the temperature that the weights were given."""
    found = read_json(study.folder(network, "test") / "metrics.json")
    about = {} if network == ENET else read_json(study.folder(network) / "model.json")
    temperature = {"temperature": about.get("temperature")}
    if "classes" in found:
        names = ("calibration_error", "volume_error", "reliability")
        classes = {name: {key: row[key] for key in names} for name, row in found["classes"].items()}
        return {"calibration_error": found["calibration_error"], "classes": classes} | temperature
    return {name: found[name] for name in ("calibration_error", "lithium_volume_error", "reliability")} | temperature


def words() -> str:
    """What the columns mean."""
    return (
        "Expected calibration error: the mean over all labelled voxels of how far the predicted probability is from the "
        "share of lithium among the voxels of like probability (20 bins). Most voxels are plain background, which makes it "
        "small; the diagram shows the rest. The temperature, fitted on the validation side, is what the logits of the kept "
        "weights were divided by: above 1 the training had been too sure of itself. E-Net blends its members' "
        "probabilities and has none of its own."
    )


def table(rows: dict[str, dict[str, Any]]) -> Table:
    """One row per network."""
    head = ["network", "expected calibration error", "temperature", "error of the volume"]
    classes = list(rows[NETWORKS[0].name].get("classes", {}))
    head[3:] = [f"error of the volume: {name}" for name in classes] or head[3:]
    body = []
    for network in NETWORKS:
        row = rows[network.name]
        error, temperature = row["calibration_error"], row["temperature"]
        volumes = [row["classes"][name]["volume_error"] for name in classes] or [row.get("lithium_volume_error")]
        body.append(
            [
                network.title,
                "–" if error is None else f"{error:.4f}",
                "–" if temperature is None else f"{temperature:.2f}",
                *("–" if volume is None else f"{100 * volume:+.1f} %" for volume in volumes),
            ]
        )
    return Table(head, body)
