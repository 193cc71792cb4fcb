"""Figure 12: the stack and what every network finds in it, in three dimensions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator
from mpl_toolkits.mplot3d.art3d import Poly3DCollection
from numpy.typing import NDArray

from custom.base.colours import class_colour
from custom.stack import open_stack
from custom.study.figures.drawing import found_legend, new_figure, save
from custom.study.figures.volumes import Volume, coarse_steps, coarsened, surface
from custom.study.plan import NETWORKS, Study
from custom.study.reading import read_json
from custom.study.stack import StudyStack

MUCH, GLASS = 0.05, 0.12  # share of the stack from which a class is shown as glass, and how dense that is
LIGHT = np.array([0.35, -0.6, 0.72])  # direction to the light, in x, y, upwards
Spacing = tuple[float, float, float]


def draw_rendering(study: Study, stack: StudyStack, path: Path) -> None:
    """Input as its three visible faces, the labels where there are any, and the lithium that each network finds."""
    opened = stack.image.open()
    steps = coarse_steps(opened.shape)
    voxel, unit = opened.voxel_size_um or (1.0, 1.0, 1.0), "µm" if opened.voxel_size_um else "voxels"
    spacing = (steps[0] * voxel[0], steps[1] * voxel[1], steps[2] * voxel[2])
    summary = read_json(study.folder(NETWORKS[0], "stack") / "summary.json")
    lower, upper = summary["grey_window"]
    grey = np.clip((coarsened(opened.shape, opened.read) - lower) / (upper - lower), 0, 1)
    panels: dict[str, list[Volume]] = {"input": [grey], **_classes(study, stack, opened.shape)}
    columns = 3 if len(panels) % 3 == 0 else 2
    rows = -(-len(panels) // columns)
    figure = new_figure(4.6 * columns, 3.5 * rows)
    for i, (title, volumes) in enumerate(panels.items(), 1):
        axes: Any = figure.add_subplot(rows, columns, i, projection="3d")
        _place(axes, grey.shape, spacing, unit)
        if title == "input":
            _faces(axes, grey, spacing)
        else:
            _surfaces(axes, volumes, spacing)
        axes.set_title(title + (_short_axes(grey.shape, spacing, unit) if title == "input" else ""), fontsize=12)
    if len(study.reading.classes) > 1:
        found_legend(figure, study.reading.classes)
    save(figure, path)


def _classes(study: Study, stack: StudyStack, shape: tuple[int, int, int]) -> dict[str, list[Volume]]:
    """The share of each class in the coarse voxels, by what it was found by."""
    values = range(1, 1 + len(study.reading.classes))

    def each(read: Callable[[int, int], NDArray[Any]]) -> list[Volume]:
        return [coarsened(shape, partial(_of_value, read, value)) for value in values]

    volumes: dict[str, list[Volume]] = {}
    if stack.labels is not None:
        volumes["ground truth"] = each(lambda start, stop: np.stack([stack.label(z) for z in range(start, stop)]))
    for network in NETWORKS:
        folder = study.folder(network, "stack")
        found = read_json(folder / "summary.json")
        volumes[network.title] = each(open_stack(folder / str(found["mask"])).read)
    return volumes


def _of_value(read: Callable[[int, int], NDArray[Any]], value: int, start: int, stop: int) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = read(start, stop) == value
    return found


def _place(axes: Any, shape: tuple[int, ...], spacing: Spacing, unit: str) -> None:
    """x to the right, z into the depth, y downwards as in the slices."""
    depth, height, width = (n * s for n, s in zip(shape, spacing, strict=True))
    axes.set(xlim=(0, width), ylim=(0, depth), zlim=(height, 0))
    axes.set_box_aspect((width, depth, height), zoom=1.2)
    axes.view_init(elev=28, azim=-58)
    axes.set_proj_type("ortho")
    axes.tick_params(labelsize=8)
    for axis, name, length in ((axes.xaxis, "x", width), (axes.yaxis, "z", depth), (axes.zaxis, "y", height)):
        if _is_short(length, (depth, height, width)):
            axis.set_ticks([])
        else:
            axis.set_major_locator(MaxNLocator(4))
            axis.set_label_text(f"{name} / {unit}", fontsize=9)


def _is_short(length: float, sizes: tuple[float, ...]) -> bool:
    """Whether numbers along such an axis could not be told apart; its length is then told above the input."""
    return length < max(sizes) / 4


def _short_axes(shape: tuple[int, ...], spacing: Spacing, unit: str) -> str:
    sizes = tuple(n * s for n, s in zip(shape, spacing, strict=True))
    short = [f"{name}: {size:.0f} {unit}" for name, size in zip("zyx", sizes, strict=True) if _is_short(size, sizes)]
    return f" ({', '.join(short)})" if short else ""


def _faces(axes: Any, volume: Volume, spacing: Spacing) -> None:
    """The faces z = 0, y = 0 and x = X, which look at the viewer."""
    z, y, x = (np.arange(n + 1) * s for n, s in zip(volume.shape, spacing, strict=True))
    end = np.full((1, 1), x[-1])
    zero = np.zeros((1, 1))
    for xs, zs, ys, face in (
        (*np.broadcast_arrays(x[None, :], zero, y[:, None]), volume[0]),
        (*np.broadcast_arrays(x[None, :], z[:, None], zero), volume[:, 0]),
        (*np.broadcast_arrays(end, z[:, None], y[None, :]), volume[:, :, -1]),
    ):
        colours = np.repeat(face[..., None], 3, axis=-1)
        axes.plot_surface(xs, zs, ys, facecolors=colours, rstride=1, cstride=1, shade=False, linewidth=0)


def _surfaces(axes: Any, volumes: list[Volume], spacing: Spacing) -> None:
    """Each class in its colour; one that fills much of the stack would hide the others and is shown as glass."""
    drawn = 0
    for value, volume in enumerate(volumes, 1):
        triangles = surface(volume, spacing)
        if triangles is None:
            continue
        placed = triangles[..., [2, 0, 1]]
        glass = {"alpha": GLASS} if len(volumes) > 1 and volume.mean() > MUCH else {}
        colours = _shaded(placed, np.array(class_colour(value)) / 255)
        axes.add_collection3d(Poly3DCollection(placed, facecolors=colours, linewidths=0, **glass))
        drawn += 1
    if not drawn:
        what = "no lithium found" if len(volumes) == 1 else "nothing found"
        axes.text2D(0.5, 0.5, what, transform=axes.transAxes, ha="center", fontsize=10)


def _shaded(triangles: NDArray[np.float64], colour: NDArray[np.float64]) -> NDArray[np.float64]:
    """The colour of each triangle, darker the further it turns from the light; triangles in x, z, y."""
    normals = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    normals[:, 2] *= -1  # y grows downwards
    towards = np.abs(normals @ (LIGHT / np.linalg.norm(LIGHT)))
    shades: NDArray[np.float64] = colour * (0.35 + 0.65 * towards[:, None])
    return shades
