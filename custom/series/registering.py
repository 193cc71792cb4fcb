"""Registering the copy of a scan to that of another with ITK, coarse to fine, from several starts."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import SimpleITK as sitk
from scipy import fft, ndimage

from custom.series.move import Move
from custom.series.view import View

_LEVELS = (4.0, 2.0)  # standard deviation of the smoothing, voxels of the copy
_WIDE = 3.0  # how much wider the smoothing is that is subtracted: grey values that drift do not count
_POINTS = (20_000, 60_000)  # that a level compares
_SEED = 1


def register(fixed: View, moving: View, starts: Sequence[Move]) -> Move:
    """The move from `fixed` to `moving` that makes both correlate best, right to a fraction of a voxel of the copies.

    Args:
        starts: from where to go; the shift that the copies as a whole fit best with is tried too.
    """
    sitk.ProcessObject.SetGlobalWarningDisplay(False)  # of points outside, which every move has
    bands = [(band(fixed, sigma), band(moving, sigma)) for sigma in _LEVELS]
    begin = [*starts, *(_shifted(*bands[0], fixed, start) for start in starts)]
    methods = [
        _method(one, fixed, sigma, points) for (one, _), sigma, points in zip(bands, _LEVELS, _POINTS, strict=True)
    ]
    images = [(_image(one, fixed), _image(other, moving)) for one, other in bands]
    move = min(begin, key=lambda one: _metric(methods[0], *images[0], one))
    for method, (one, other) in zip(methods, images, strict=True):
        move = _improved(method, one, other, move)
    return move


def band(view: View, sigma: float) -> np.ndarray:
    """Values between two scales, float32 (Z, Y, X), with layers as a whole taken out along each axis.

    Layers that lie along a side look the same wherever they are shifted to; what is left tells one place from another.
    """
    values = view.values - np.float32(view.values.mean())
    smooth = ndimage.gaussian_filter(values, sigma, mode="nearest")
    return np.asarray(smooth - ndimage.gaussian_filter(values, sigma * _WIDE, mode="nearest"), np.float32)


def _shifted(fixed: np.ndarray, moving: np.ndarray, view: View, start: Move) -> Move:
    """The start with the shift of the highest correlation, over at most an eighth of the scan along each axis."""
    thin = tuple(slice(None, None, 2) for _ in range(3))
    sizes = [max(one, other) for one, other in zip(fixed[thin].shape, moving[thin].shape, strict=True)]
    shape = [fft.next_fast_len(length, real=True) for length in sizes]
    product = fft.rfftn(moving[thin], shape) * np.conj(fft.rfftn(fixed[thin], shape))
    correlation = fft.irfftn(product, shape)
    for axis, length in enumerate(shape):
        reach = max(fixed.shape[axis] // 16, 1)
        keep = np.zeros(length, bool)
        keep[: reach + 1] = keep[-reach:] = True
        correlation = np.compress(keep, correlation, axis=axis)
    place = np.unravel_index(int(correlation.argmax()), correlation.shape)
    steps = [at if at <= length // 2 else at - length for at, length in zip(place, correlation.shape, strict=True)]
    return Move(start.turn, np.array(steps) * 2 * view.step, start.centre)


def _method(fixed: np.ndarray, view: View, sigma: float, points: int) -> sitk.ImageRegistrationMethod:
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsCorrelation()
    if fixed.size > points:
        method.SetMetricSamplingStrategy(method.RANDOM)
        method.SetMetricSamplingPercentage(points / fixed.size, _SEED)
    method.SetInterpolator(sitk.sitkLinear)
    step = float(view.step.min())
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=sigma / 2 * step, minStep=0.02 * step, numberOfIterations=60, gradientMagnitudeTolerance=1e-9
    )
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetNumberOfThreads(1)  # sums in one order: the same bytes every time
    return method


def _metric(method: sitk.ImageRegistrationMethod, fixed: sitk.Image, moving: sitk.Image, start: Move) -> float:
    """The lower the better."""
    method.SetInitialTransform(_transform(start), inPlace=False)
    try:
        return float(method.MetricEvaluate(fixed, moving))
    except RuntimeError:  # too little overlaps
        return math.inf


def _improved(method: sitk.ImageRegistrationMethod, fixed: sitk.Image, moving: sitk.Image, start: Move) -> Move:
    method.SetInitialTransform(_transform(start), inPlace=False)
    try:
        found = method.Execute(fixed, moving)
    except RuntimeError:  # too little overlaps
        return start
    return _move(sitk.Euler3DTransform(sitk.CompositeTransform(found).GetBackTransform()), start)


def _image(values: np.ndarray, view: View) -> sitk.Image:
    image = sitk.GetImageFromArray(values)
    image.SetSpacing([float(along) for along in view.step[::-1]])
    image.SetOrigin([float(along) for along in view.first[::-1]])
    return image


def _transform(move: Move) -> sitk.Euler3DTransform:
    """ITK has x, y, z: matrices are turned round along both axes."""
    transform = sitk.Euler3DTransform()
    transform.SetCenter([float(along) for along in move.centre[::-1]])
    transform.SetMatrix(move.turn[::-1, ::-1].ravel().tolist())
    transform.SetTranslation([float(along) for along in move.shift[::-1]])
    return transform


def _move(transform: sitk.Euler3DTransform, start: Move) -> Move:
    turn = np.array(transform.GetMatrix()).reshape(3, 3)[::-1, ::-1]
    return Move(turn, np.array(transform.GetTranslation())[::-1], start.centre)
