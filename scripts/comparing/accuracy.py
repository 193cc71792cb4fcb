"""What the runs of an accuracy bench come to: mean, spread and worst of each recipe on each set, and over all."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from comparing.runs import Row
from custom.study.page import Picture, Section, Table

CELL = ("set", "test", "labels", "seed")  # what every recipe is run on
PLACE = ("set", "test", "labels")


@dataclass(frozen=True)
class Score:
    """A score of a run.

    Attributes:
        name: in runs.jsonl.
        title: for people.
        loss: of a value; the worst run is the one that has the highest.
        digits: after the point.
    """

    name: str
    title: str
    loss: Callable[[float], float] = lambda value: -value
    digits: int = 4


OVERLAP = (
    Score("dsc_d", "Dice (d)"),
    Score("dsc_a", "mDSC (a)"),
    Score("dsc_b", "mDSC (b)"),
    Score("dsc_c", "mDSC (c)"),
)
OTHERS = (
    Score("surface_dice_b", "surface Dice (b)"),
    Score("hd95_b", "HD95 (b), voxels", lambda value: value, 2),
    Score("volume_error", "volume error", abs),
    Score("calibration_error", "calibration error", lambda value: value),
    Score("truth_in_range", "true volume in range, share", digits=2),
)
SCORES = (*OVERLAP, *OTHERS)
SUMMED = (OVERLAP[0], OVERLAP[1], *OTHERS)  # over all sets


def summary(rows: Sequence[Row]) -> dict[str, Any]:
    """The figures of the tables.

    Only what every recipe was run on counts, so that none gains by what it was spared. A score that one run has not, since it
    failed or has nothing to be scored of, has no mean.

    Returns:
        ``places``: a dict for each set, test, number of labels and recipe with ``seeds`` and, by the name of a score,
        ``mean``, ``spread`` (standard deviation of the sample, None of one run), ``worst`` and ``worst_seed``;
        ``over_sets``: the same recipes for each number of labels with ``mean`` (a set's is that of its tests), ``worst`` and
        ``worst_set``, and of the worst run ``worst_run``, ``worst_run_set`` and ``worst_run_seed``; ``left_out``: runs that are not of all recipes.
    """
    recipes = list(dict.fromkeys(row["recipe"] for row in rows))
    run_by = {
        cell: {row["recipe"] for row in rows if _of(row, CELL) == cell}
        for cell in dict.fromkeys(_of(row, CELL) for row in rows)
    }
    common = [row for row in rows if len(run_by[_of(row, CELL)]) == len(recipes)]
    places = [
        _at_place([row for row in common if _of(row, (*PLACE, "recipe")) == (*place, recipe)])
        for place in dict.fromkeys(_of(row, PLACE) for row in common)
        for recipe in recipes
    ]
    over = [
        _over_sets([one for one in places if (one["labels"], one["recipe"]) == (labels, recipe)])
        for labels in dict.fromkeys(one["labels"] for one in places)
        for recipe in recipes
    ]
    return {"places": places, "over_sets": over, "left_out": len(rows) - len(common)}


def _of(row: Row, names: Sequence[str]) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)


def _at_place(runs: Sequence[Row]) -> dict[str, Any]:
    """A recipe's runs on one set and test."""
    found: dict[str, Any] = {name: runs[0][name] for name in (*PLACE, "recipe")}
    found |= {"seeds": [run["seed"] for run in runs], "failed": [run["seed"] for run in runs if run.get("failed")]}
    for score in SCORES:
        values = [(run.get("scores") or {}).get(score.name) for run in runs]
        known = [(value, run["seed"]) for value, run in zip(values, runs, strict=True) if value is not None]
        whole = len(known) == len(runs)
        worst = max(known, key=lambda pair: score.loss(pair[0])) if whole else (None, None)
        numbers = [abs(value) if score.loss is abs else value for value, _ in known]
        found[score.name] = {
            "mean": statistics.fmean(numbers) if whole else None,
            "spread": statistics.stdev(numbers) if whole and len(numbers) > 1 else None,
            "worst": worst[0],
            "worst_seed": worst[1],
        }
    return found


def _over_sets(places: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A recipe's sets, for one number of labels."""
    found: dict[str, Any] = {name: places[0][name] for name in ("labels", "recipe")}
    found |= {"failed": sum(len(place["failed"]) for place in places)}
    for score in SUMMED:
        if any(place[score.name]["mean"] is None for place in places):
            found[score.name] = None
            continue
        sets: dict[str, list[float]] = {}
        for place in places:
            sets.setdefault(place["set"], []).append(place[score.name]["mean"])
        worst = max(places, key=lambda place: score.loss(place[score.name]["mean"]))
        run = max(places, key=lambda place: score.loss(place[score.name]["worst"]))
        found[score.name] = {
            "mean": statistics.fmean(statistics.fmean(means) for means in sets.values()),
            "worst": worst[score.name]["mean"],
            "worst_set": _name(worst),
            "worst_run": run[score.name]["worst"],
            "worst_run_seed": run[score.name]["worst_seed"],
            "worst_run_set": _name(run),
        }
    return found


def _name(place: dict[str, Any]) -> str:
    return f"{place['set']}, {place['test']}"


def sections(found: dict[str, Any], rows: Sequence[Row]) -> list[Section]:
    """The tables, for Markdown."""
    told = [_left_out(found["left_out"])] if found["left_out"] else []
    failed: list[str | Table | Picture] = [
        f"{row['recipe']} on {_name(row)}, seed {row['seed']}: {row['failed']}" for row in rows if row.get("failed")
    ]
    return [
        Section("Over all sets", [*told, _sets(found["over_sets"])]),
        Section("Overlap on the test side", [_places(found["places"], OVERLAP)]),
        Section("Beside overlap", [_places(found["places"], OTHERS)]),
        *([Section("Failed", failed)] if failed else []),
    ]


def _left_out(count: int) -> str:
    return f"{count} runs are left out, as not all recipes have been run on the same."


def _places(places: Sequence[dict[str, Any]], scores: Sequence[Score]) -> Table:
    body = []
    for place in places:
        seeds = ", ".join(map(str, place["seeds"]))
        cells = [_cell(place[score.name], score) for score in scores]
        body.append([_name(place), place["labels"], place["recipe"], seeds, *cells])
    return Table(["set, test", "labels", "recipe", "seeds", *(score.title for score in scores)], body)


def _cell(found: dict[str, Any], score: Score) -> str:
    if found["mean"] is None:
        return "–"
    spread = "" if found["spread"] is None else f" ± {found['spread']:.{score.digits}f}"
    mean, worst = (f"{found[name]:.{score.digits}f}" for name in ("mean", "worst"))
    return f"{mean}{spread}" + (f", worst {worst} (seed {found['worst_seed']})" if spread else "")


def _sets(over: Sequence[dict[str, Any]]) -> Table:
    """A line for each score, so that the recipes stand below each other."""
    labels = dict.fromkeys(one["labels"] for one in over)
    body = [
        [one["recipe"], one["labels"], score.title, *_over(one[score.name], score), str(one["failed"] or "")]
        for count in labels
        for score in SUMMED
        for one in over
        if one["labels"] == count
    ]
    return Table(["recipe", "labels", "score", "mean over sets", "worst set", "worst run", "failed runs"], body)


def _over(found: dict[str, Any] | None, score: Score) -> list[str]:
    if found is None:
        return ["–"] * 3
    mean, worst, run = (f"{found[name]:.{score.digits}f}" for name in ("mean", "worst", "worst_run"))
    return [
        mean,
        f"{worst} ({found['worst_set']})",
        f"{run} ({found['worst_run_set']}, seed {found['worst_run_seed']})",
    ]


def described(settings: dict[str, Any]) -> str:
    """The budget, in words."""
    length = f"{settings['epochs']} x {settings['patches_per_epoch']} patches"
    if settings["epochs"] is None:
        length = f"{settings['seconds'] / 60:g} minutes"
    return f"{length} of training each, {settings['device']}, {settings['threads']} threads"
