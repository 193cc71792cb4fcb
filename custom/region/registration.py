"""Registering two overlapping fields of view with ITK, coarse to fine: shift along three axes and rotation about z."""

from __future__ import annotations

import math

import numpy as np
import SimpleITK as sitk

from custom.region.part import Move, Part, band_passed, inner, structured
from custom.region.refining import refined

_LEVELS = (4.0, 2.0)  # standard deviation of the smoothing, in voxels; each level begins where the last one ended
_POINTS = 100_000  # voxels that a level compares; 16 slices of 400 x 2071 have 13 million
_MOST_VOXELS = 8_000_000  # of an image; ITK keeps 24 bytes of gradient for each
_SEED = 1


def register(fixed: Part, moving: Part, start: Move, doubt: int = 1) -> Move:
    """The move of `moving` that makes it correlate best with `fixed`, by ITK's correlation metric and least squares.

    Args:
        fixed: slices of the lower field.
        moving: slices of the upper field, with a margin around those that match, in their own grey scale.
        start: from where to go, right to a few voxels.
        doubt: voxels by which it may be wrong along z, where a cell shows least.
    """
    sitk.ProcessObject.SetGlobalWarningDisplay(False)  # of points outside, which the margins leave
    transform = _transform(start)
    for sigma in _LEVELS:
        transform = _improved(_image(fixed, sigma), _image(moving, sigma), transform, sigma)
    return refined(fixed, moving, _move(transform), doubt)


def _improved(
    fixed: sitk.Image, moving: sitk.Image, start: sitk.Euler3DTransform, sigma: float
) -> sitk.Euler3DTransform:
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsCorrelation()
    method.SetMetricFixedMask(_like(fixed, inner(structured(sitk.GetArrayFromImage(fixed)))))
    method.SetMetricMovingMask(_like(moving, inner(np.ones(moving.GetSize()[::-1], bool))))
    count = math.prod(fixed.GetSize())
    if count > _POINTS:
        method.SetMetricSamplingStrategy(method.RANDOM)
        method.SetMetricSamplingPercentage(_POINTS / count, _SEED)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=sigma / 2, minStep=0.01, numberOfIterations=60, gradientMagnitudeTolerance=1e-9
    )
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetOptimizerWeights([0, 0, 1, 1, 1, 1])  # of Euler angles x, y, z and translation x, y, z
    method.SetInitialTransform(sitk.Euler3DTransform(start), inPlace=False)
    method.SetNumberOfThreads(1)  # sums in one order: the same bytes every time
    return sitk.Euler3DTransform(sitk.CompositeTransform(method.Execute(fixed, moving)).GetBackTransform())


def _like(image: sitk.Image, mask: np.ndarray) -> sitk.Image:
    found = sitk.GetImageFromArray(mask.astype(np.uint8))
    found.CopyInformation(image)
    return found


def _image(part: Part, sigma: float) -> sitk.Image:
    """The band of a level in space x, y, z, with the slice's centre at 0 and z counted in slices of the field."""
    thin = max(int(sigma) // part.step, math.ceil(math.sqrt(part.values.size / _MOST_VOXELS)))
    band = band_passed(part.values, max(sigma / part.step, 0.7))[:, ::thin, ::thin]
    image = sitk.GetImageFromArray(np.ascontiguousarray(band, np.float32))
    y, x = part.centre
    image.SetSpacing((part.step * thin, part.step * thin, 1.0))
    image.SetOrigin((-part.step * x, -part.step * y, float(part.first)))
    return image


def _transform(move: Move) -> sitk.Euler3DTransform:
    angle = math.radians(move.rotation_deg)
    z, y, x = move.shift
    cos, sin = math.cos(angle), math.sin(angle)
    transform = sitk.Euler3DTransform()
    transform.SetRotation(0.0, 0.0, angle)
    transform.SetTranslation((-(cos * x - sin * y), -(sin * x + cos * y), -z))
    return transform


def _move(transform: sitk.Euler3DTransform) -> Move:
    angle = transform.GetAngleZ()
    x, y, z = transform.GetTranslation()
    cos, sin = math.cos(angle), math.sin(angle)
    return Move((-z, -(cos * y - sin * x), -(cos * x + sin * y)), math.degrees(angle))
