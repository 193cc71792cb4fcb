"""All that a study found, as one folder: study.json, Markdown, pictures and a page of its own."""

from __future__ import annotations

from typing import Any

from custom.data.sides import Split
from custom.report import write_json
from custom.study import calibration, losses, table1, table2
from custom.study.figures.calibration import draw_calibration
from custom.study.figures.curves import draw_curves
from custom.study.figures.patches import draw_patches
from custom.study.figures.rendering import draw_rendering
from custom.study.figures.whole_slice import draw_slice
from custom.study.page import Picture, Section, write_html, write_markdown
from custom.study.plan import ENET, NETWORKS, TRAINED, Study
from custom.study.reading import read_curves, read_json
from custom.study.search import CRITERIA
from custom.study.slices import LabelledSlice
from custom.study.stack import StudyStack
from custom.study.wording import about, cost_words, score_words, search_table, search_words, stack_words, training_words

TITLE = "Lithium in X-ray CT: U-Net, Y-Net, TransforCNN and E-Net compared"
FIGURES = {
    "figure_06": "Patches with high, moderate and low concentration of lithium: input, label and what each network finds",
    "figure_10": "Loss and Dice of training and validation over the epochs (training: augmented patches, mostly around lithium, "
    "while the weights change; validation: all patches of the slices, after the epoch)",
    "figure_11": "A whole test slice: input, label and what each network finds",
    "figure_12": "Three-dimensional views of the stack and of the lithium in it",
}


def write_report(study: Study, split: Split, stack: StudyStack) -> dict[str, Any]:
    """Write everything from what the commands left; returns what study.json holds.

    Raises:
        BadInput: no test slice holds lithium, a file is damaged, or the folder cannot be written to.
    """
    slices = [LabelledSlice(item) for item in split["test"]]
    found: dict[str, Any] = {
        "dataset_dir": study.dataset_dir,
        "stack": stack.path,
        "slices": {side: len(items) for side, items in split.items()},
        "budget_minutes": study.minutes or None,
        "training": {network.name: _training(study, network.name) for network in TRAINED},
        "enet_search": read_json(study.output_dir / "enet_search.json"),
        "enet_on_val": {score: read_json(study.folder(ENET, "val") / "metrics.json")[score] for score in CRITERIA},
        "table1": {network.name: table1.measured(study, network, slices) for network in NETWORKS},
        "calibration": {network.name: calibration.measured(study, network) for network in NETWORKS},
        "losses": losses.measured(study, slices) if study.compare_losses else None,
        "table2": table2.counted(study, stack),
        "test_stack_slices_trained_on": stack.trained_on,
    }
    several = len(study.reading.classes) > 1
    pictures = {
        name: Picture(study.output_dir / f"{name}.png", about(shows, several)) for name, shows in FIGURES.items()
    }
    draw_patches(study, slices, pictures["figure_06"].path)
    reliability = Picture(study.output_dir / "calibration.png", about(calibration.SHOWS, several))
    draw_calibration(found["calibration"], reliability.path)
    draw_curves(study, pictures["figure_10"].path)
    draw_slice(study, slices, pictures["figure_11"].path)
    draw_rendering(study, stack, pictures["figure_12"].path)
    sections = _sections(found, pictures, reliability)
    write_json(study.output_dir / "study.json", found)
    title = TITLE.replace("Lithium", ", ".join(study.reading.classes)) if several else TITLE
    write_markdown(study.output_dir / "study.md", title, sections)
    write_html(study.output_dir / "study.html", title, sections)
    return found


def _training(study: Study, name: str) -> dict[str, Any]:
    curves = read_curves(study.output_dir / name / "metrics.csv")
    about = read_json(study.output_dir / name / "model.json")
    return {"epochs": int(curves["epoch"][-1]), "minutes": curves["minutes"][-1], "weights": about}


def _sections(found: dict[str, Any], pictures: dict[str, Picture], reliability: Picture) -> list[Section]:
    scores = found["table1"]
    several = "classes" in scores[NETWORKS[0].name]
    return [
        Section("How it was done", [training_words(found)]),
        Section(
            "Table 1: scores on the test side, and costs",
            [
                score_words(scores),
                *(table1.score_table(scores, kind) for kind in ("dsc", "iou")),
                *([table1.class_table(scores, kind) for kind in ("dsc_b", "dsc_d")] if several else []),
                cost_words(scores),
                table1.cost_table(scores),
            ],
        ),
        Section(
            "Calibration", [about(calibration.words(), several), calibration.table(found["calibration"]), reliability]
        ),
        *([Section("Losses", [losses.words(found), losses.table(found["losses"])])] if found["losses"] else []),
        Section("E-Net's search", [search_words(found), search_table(found["enet_search"])]),
        Section(
            "Table 2: the classes in the stack" if several else "Table 2: lithium in the stack",
            [stack_words(found), table2.table(found["table2"])],
        ),
        *(Section(f"Figure {int(name[-2:])}", [picture.shows + ".", picture]) for name, picture in pictures.items()),
    ]
