"""Figure 12: the stack and what every network finds in it, in three dimensions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator
from mpl_toolkits.mplot3d.art3d import Poly3DCollection
from numpy.typing import NDArray

from custom.base.colours import class_colour
from custom.stack import open_stack
from custom.study.figures.drawing import new_figure, save
from custom.study.figures.volumes import Volume, coarse_steps, coarsened, surface
from custom.study.plan import NETWORKS, Study
from custom.study.reading import read_json
from custom.study.stack import StudyStack

COLOUR = np.array(class_colour(1)) / 255  # the masks' in all overlays
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
    panels = {"input": grey, **_lithium(study, stack, opened.shape)}
    columns = 3 if len(panels) % 3 == 0 else 2
    rows = -(-len(panels) // columns)
    figure = new_figure(4.6 * columns, 3.5 * rows)
    for i, (title, volume) in enumerate(panels.items(), 1):
        axes: Any = figure.add_subplot(rows, columns, i, projection="3d")
        _place(axes, volume.shape, spacing, unit)
        if title == "input":
            _faces(axes, volume, spacing)
        else:
            _lithium_surface(axes, volume, spacing)
        axes.set_title(title + (_short_axes(volume.shape, spacing, unit) if title == "input" else ""), fontsize=12)
    save(figure, path)


def _lithium(study: Study, stack: StudyStack, shape: tuple[int, int, int]) -> dict[str, Volume]:
    volumes: dict[str, Volume] = {}
    if stack.labels is not None:
        volumes["ground truth"] = coarsened(
            shape, lambda start, stop: np.stack([stack.label(z) == 1 for z in range(start, stop)])
        )
    for network in NETWORKS:
        folder = study.folder(network, "stack")
        found = read_json(folder / "summary.json")
        mask = open_stack(folder / str(found["mask"]))
        volumes[network.title] = coarsened(shape, mask.read)
    return volumes


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


def _lithium_surface(axes: Any, volume: Volume, spacing: Spacing) -> None:
    triangles = surface(volume, spacing)
    if triangles is None:
        axes.text2D(0.5, 0.5, "no lithium found", transform=axes.transAxes, ha="center", fontsize=10)
        return
    placed = triangles[..., [2, 0, 1]]
    axes.add_collection3d(Poly3DCollection(placed, facecolors=_shaded(placed), linewidths=0))


def _shaded(triangles: NDArray[np.float64]) -> NDArray[np.float64]:
    """The colour of each triangle, darker the further it turns from the light; triangles in x, z, y."""
    normals = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    normals[:, 2] *= -1  # y grows downwards
    towards = np.abs(normals @ (LIGHT / np.linalg.norm(LIGHT)))
    shades: NDArray[np.float64] = COLOUR * (0.35 + 0.65 * towards[:, None])
    return shades
