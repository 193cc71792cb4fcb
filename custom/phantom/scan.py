"""A parallel-beam CT scan of a stack: projections with the faults of a real beamline, then filtered back projection."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage, sparse

Stack = NDArray[np.float32]


@dataclass(frozen=True)
class ScanParameters:
    """What differs from scan to scan."""

    photons: float  # per detector pixel and projection, without a sample
    rings: float  # standard deviation of the detector's gain error
    drift: float  # standard deviation of the beam's intensity over the scan
    zingers: float  # share of detector readings hit by a stray photon
    fringe: float  # strength of the edge fringe, attenuation x square voxels per g/cm3

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "ScanParameters":
        return cls(
            photons=float(rng.uniform(0.8e4, 2.2e4)),
            rings=float(rng.uniform(0.001, 0.004)),
            drift=float(rng.uniform(0.002, 0.01)),
            zingers=float(rng.uniform(0.5e-5, 2e-5)),
            fringe=float(rng.uniform(6e-4, 16e-4)),
        )


def projectors(shape: tuple[int, int], bins: int, angles: int) -> Iterator[sparse.csr_array]:
    """The system matrix (Y * X, bins) of each angle over 180 degrees about the centre, two weights per pixel.

    A pixel at (y, x) from the centre falls on the detector at s = x cos(angle) - y sin(angle) and is shared linearly
    between the two nearest bins. `matrix.T @ pixels` projects and `matrix @ detector` projects back: an exact
    adjoint pair, for all slices of a stack at once when they stand as columns. Pixels that fall off the detector
    weigh nothing.
    """
    y, x = (np.arange(n, dtype=np.float32) - n // 2 for n in shape)
    rows = np.arange(0, 2 * len(y) * len(x) + 1, 2, dtype=np.int32)
    for angle in np.arange(angles) * np.pi / angles:
        s = (x * np.float32(np.cos(angle)) - y[:, None] * np.float32(np.sin(angle))).ravel() + np.float32(bins // 2)
        left = np.floor(s)
        columns = left.astype(np.int32)[:, None] + np.array([0, 1], np.int32)
        weights = np.stack([1 - (s - left), s - left], axis=1)
        weights[(columns < 0) | (columns >= bins)] = 0
        np.clip(columns, 0, bins - 1, out=columns)
        yield sparse.csr_array((weights.ravel(), columns.ravel(), rows), shape=(len(s), bins))


def project(stack: Stack, bins: int, angles: int) -> Stack:
    """Line integrals of a stack (Z, Y, X) in units of value x voxel: sinogram (angle, bin, Z)."""
    pixels = np.ascontiguousarray(stack.reshape(len(stack), -1).T)
    return np.stack([matrix.T @ pixels for matrix in projectors(stack.shape[1:], bins, angles)])


def reconstruct(sinogram: Stack, shape: tuple[int, int]) -> Stack:
    """Filtered back projection of a sinogram (angle, bin, Z) into a stack (Z, Y, X).

    Ramp filter: Kak and Slaney, Principles of Computerized Tomographic Imaging, 1988, chapter 3, eq. 61.
    """
    angles, bins, slices = sinogram.shape
    length = fft.next_fast_len(2 * bins, real=True)
    offset = np.arange(length)
    offset = np.minimum(offset, length - offset)
    kernel = np.where(offset % 2, -1 / (np.pi * np.maximum(offset, 1)) ** 2, 0.0)
    kernel[0] = 0.25
    ramp = fft.rfft(kernel).real.astype(np.float32)
    pixels = np.zeros((shape[0] * shape[1], slices), np.float32)
    for matrix, row in zip(projectors(shape, bins, angles), sinogram, strict=True):
        filtered = fft.irfft(fft.rfft(row, length, axis=0) * ramp[:, None], length, axis=0)[:bins]
        pixels += matrix @ filtered.astype(np.float32, copy=False)
    return (pixels.T * np.float32(np.pi / angles)).reshape(slices, *shape)


def detect(sinogram: Stack, parameters: ScanParameters, rng: np.random.Generator) -> Stack:
    """The sinogram (angle, bin, Z) as a detector sees it: Poisson noise, gain errors (rings), beam drift, zingers.

    The gain error of a detector pixel is constant over the scan and changes slowly from slice to slice. The beam
    drifts slowly in strength and in its slope across the detector.
    """
    angles, bins, slices = sinogram.shape
    gain = ndimage.gaussian_filter1d(rng.standard_normal((bins, slices + 48)), 8.0, axis=1)[:, 24 : 24 + slices]
    gain *= parameters.rings * np.sqrt(2 * 8.0 * np.sqrt(np.pi))  # blurring leaves a variance of 1 / (2 sigma sqrt(pi))
    course = np.cumsum(rng.standard_normal((2, angles)), axis=1)
    course = (course - course.mean(axis=1, keepdims=True)) / course.std(axis=1, keepdims=True)
    slope = np.linspace(-1, 1, bins)
    beam = 1 + parameters.drift * (course[0][:, None] + course[1][:, None] * slope) / np.sqrt(2)
    expected = parameters.photons * np.exp(-sinogram) * (1 + gain) * beam[:, :, None]
    counts = rng.poisson(expected).astype(np.float32)
    hits = rng.integers(0, counts.size, rng.poisson(parameters.zingers * counts.size))
    counts.ravel()[hits] += rng.uniform(0.05, 0.3, len(hits)).astype(np.float32) * np.float32(parameters.photons)
    return -np.log(np.maximum(counts, 1) / np.float32(parameters.photons))


def harden(sinogram: Stack, spread: float) -> Stack:
    """Line integrals as a beam of two energies sees them, whose attenuations are 1 - spread and 1 + spread times those.

    -log of the mean of both transmissions, p - log(cosh(spread p)): long paths seem short, which makes the middle of a
    slice darker and throws streaks between dense grains.
    """
    return sinogram - np.log(np.cosh(np.float32(spread) * sinogram))


def with_fringe(attenuation: Stack, density: Stack, strength: float) -> Stack:
    """Add the edge fringe of free-space propagation.

    Over a short distance it lowers the measured attenuation by a multiple of the Laplacian of the projected density
    (transport of intensity; Paganin, Coherent X-Ray Optics, 2006, chapter 4). Projection turns the Laplacian of the
    object into that of its projection, so it is taken in the object: brighter inside a dense edge, darker outside.
    """
    return attenuation - np.float32(strength) * ndimage.laplace(density)
