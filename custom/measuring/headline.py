"""The answer in a sentence, and the headline figures with their ranges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from custom.cell_page.page import Card
from custom.cell_page.parts import number
from custom.measuring.contact import FURTHEST


def answer(figures: Mapping[str, Any], unit: str) -> str:
    """What somebody wants to know first."""
    if not figures["lithium_voxels"]:
        return "There is no lithium in this mask."
    if figures["electrodes"] is None:
        return (
            "No electrodes are known: depth, contact and short circuit are left out. Give the grey stack with --stack, or where "
            "they lie with --electrodes."
        )
    gap = figures[f"smallest_gap_{unit}"]
    if figures["bridged_6"]:
        said = "Lithium joins both electrodes: the cell is short-circuited."
    elif figures["bridged_26"]:
        said = "Lithium joins both electrodes, but only through edges or corners of voxels."
    else:
        said = f"Lithium does not join the electrodes; the smallest gap left is {number(gap)} {unit}."
    level = figures.get("bridging_threshold_26")
    if level is not None:
        said += f" They are joined where a probability of {level:.2f} counts as lithium."
    elif "bridging_threshold_26" in figures:
        said += " They are not joined at any probability."
    return said


def cards(figures: Mapping[str, Any], unit: str) -> list[Card]:
    """Those figures that there are."""
    rows = [*(figures.get("by_threshold") or ()), *(figures.get("by_members") or ())]
    by = "by threshold and member" if figures.get("by_members") else "by threshold"
    voxels = figures["lithium_voxels"]
    ends = [row["lithium_voxels"] / voxels for row in rows] if voxels else []
    error = figures.get("lithium_sampling_error_fraction")
    settled = [] if error is None else [f"sampling error {error:.0%}"]

    def ranged(value: float, with_unit: str) -> str:
        span = [f"{number(min(ends) * value)} to {number(max(ends) * value)} {with_unit} {by}"] if ends else []
        return "; ".join(span + settled)

    found: list[Card] = []
    if "lithium_um3" in figures:
        found.append(Card("Lithium", f"{number(figures['lithium_um3'])} um3", ranged(figures["lithium_um3"], "um3")))
    else:
        found.append(Card("Lithium", f"{number(voxels)} voxels", ranged(voxels, "voxels")))
    if "areal_capacity_mAh_cm2" in figures:
        value = figures["areal_capacity_mAh_cm2"]
        found.append(Card("Areal capacity, dense lithium", f"{number(value)} mAh/cm2", ranged(value, "mAh/cm2")))
    if f"effective_thickness_{unit}" in figures:
        value = figures[f"effective_thickness_{unit}"]
        found.append(Card("Effective thickness", f"{number(value)} {unit}", ranged(value, unit)))
    if f"penetration_depth_{unit}" in figures:
        value, most = figures[f"penetration_depth_{unit}"], figures[f"electrodes_apart_{unit}"]
        note = f"95 %: {number(figures[f'penetration_depth_95_{unit}'])}; electrodes are {number(most)} {unit} apart"
        found.append(Card("Penetration depth", f"{number(value)} {unit}", note))
    found.append(Card("Agglomerates", number(figures["agglomerates"]), _range(rows, "agglomerates")))
    if figures.get("dead_lithium_fraction") is not None:
        dead = (figures.get("ranges") or {}).get("dead_lithium_fraction") or [
            row["dead_lithium_fraction"]
            for row in figures["dead_lithium_by_contact"]
            if row["contact_voxels"] <= FURTHEST
        ]
        note = f"{number(figures['dead_agglomerates'])} pieces that touch no electrode; "
        note += f"{min(dead):.1%} to {max(dead):.1%} with contact to {FURTHEST:g} voxels"
        found.append(Card("Dead lithium", f"{figures['dead_lithium_fraction']:.1%}", note))
    thick = figures.get(f"local_thickness_mean_{unit}")
    if thick is not None:
        note = f"largest {number(figures[f'local_thickness_largest_{unit}'])} {unit}"
        found.append(Card("Local thickness, mean", f"{number(thick)} {unit}", note))
    if figures.get("geodesic_tortuosity") is not None:
        note = f"{figures['electrolyte_reached_fraction']:.1%} of the electrolyte is reached"
        found.append(Card("Geodesic tortuosity", f"{figures['geodesic_tortuosity']:.3f}", note))
    return found


def _range(rows: Sequence[Mapping[str, Any]], name: str) -> str:
    values = [row[name] for row in rows]
    return f"{number(min(values))} to {number(max(values))} by threshold" if values else ""
