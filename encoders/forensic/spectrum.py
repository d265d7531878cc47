"""Radial power spectrum, its power law, and periodic peaks.

Sources: R. Durall, M. Keuper, J. Keuper, "Watch your Up-Convolution", CVPR 2020
(arXiv:2003.01826: azimuthal mean, high-frequency deviation); X. Zhang, S. Karaman, S.-F. Chang,
"Detecting and Simulating Artifacts in GAN Fake Images", WIFS 2019 (arXiv:1907.06515:
checkerboard peaks); A. Gallagher, "Detection of Linear and Cubic Interpolation in JPEG
Compressed Images", CRV 2005 (periodic second derivative).
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import fft, ndimage

from encoders.forensic.reading import Reading
from encoders.types import FloatArray

BINS = 16
_EDGES = np.geomspace(1 / 64, 0.5, BINS + 1)
_IntArray = npt.NDArray[np.int64]


@lru_cache(maxsize=16)
def _plane(height: int, width: int) -> tuple[FloatArray, _IntArray, npt.NDArray[np.bool_]]:
    """Hann window (H, W), radial bin of each half-plane frequency, and where peaks may be sought.

    Bin 0 is below and bin `BINS` + 1 above the range. Multiples of 1/8 are left out of the
    peak search: any JPEG picture has them.
    """
    window = np.outer(np.hanning(height), np.hanning(width)).astype(np.float32)
    fy, fx = np.abs(fft.fftfreq(height))[:, None], fft.rfftfreq(width)[None]
    radius = np.hypot(fy, fx)
    on_comb_y = np.abs(fy * 8 - np.rint(fy * 8)) < 24 / height
    on_comb_x = np.abs(fx * 8 - np.rint(fx * 8)) < 24 / width
    seek = (radius > 0.15) & ~on_comb_y & ~on_comb_x
    return window, np.digitize(radius, _EDGES), seek


def log_power(luma_HW: FloatArray) -> FloatArray:
    """log10 power of the Hann-windowed luma, half plane (H, W // 2 + 1); H, W even."""
    window = _plane(*luma_HW.shape)[0]
    spectrum = fft.rfft2((luma_HW - luma_HW.mean()) * window)
    power: FloatArray = np.log10(spectrum.real**2 + spectrum.imag**2 + np.float32(1.0))
    return power


def radial_profile(power: FloatArray, height: int, width: int) -> npt.NDArray[np.float64]:
    """Azimuthal mean of log10 power in `BINS` logarithmic bins from 1/64 to 1/2 cycles a pixel."""
    index = _plane(height, width)[1].ravel()
    totals = np.bincount(index, weights=power.ravel(), minlength=BINS + 2)
    counts = np.bincount(index, minlength=BINS + 2)
    profile = totals[1:-1] / np.maximum(counts[1:-1], 1)
    filled = counts[1:-1] > 0
    # Small pictures have no frequency in some low bins: take the nearest bin that has.
    return np.interp(np.arange(BINS), np.flatnonzero(filled), profile[filled])


def power_law(profile: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Slope (decades of power a decade of frequency) and excess above 0.35 cycles a pixel in dB.

    The line is fitted between 1/32 and 1/4 cycles a pixel and continued.
    """
    centre = np.log10(np.sqrt(_EDGES[1:] * _EDGES[:-1]))
    fit = (centre > np.log10(1 / 32)) & (centre < np.log10(1 / 4))
    slope, offset = np.polyfit(centre[fit], profile[fit], 1)
    top = centre > np.log10(0.35)
    return float(slope), float(10 * (profile[top] - slope * centre[top] - offset).mean())


def checkerboard_peaks(power: FloatArray, height: int) -> tuple[float, float, float]:
    """dB of the peaks at half the sampling rate (x, y, both) above their surroundings."""
    rolled = np.roll(power, height // 2, axis=0)  # vertical frequency 0 in the middle row
    right = power.shape[1] - 1

    def peak(row: int, column: int) -> float:
        rows = np.arange(row - 8, row + 9) % height
        columns = np.arange(max(0, column - 8), min(right, column + 8) + 1)
        zone = rolled[np.ix_(rows, columns)]
        near = (np.abs(np.arange(-8, 9)) <= 1)[:, None] & (np.abs(columns - column) <= 1)[None]
        return float(10 * (zone[near].max() - np.median(zone[~near])))

    middle = height // 2
    return peak(middle, right), peak(0, 0), peak(0, right)


def resampling_peak(luma_HW: FloatArray) -> float:
    """dB of the strongest periodicity of the mean absolute second derivative, both axes."""
    strongest = 0.0
    for values in (luma_HW, luma_HW.T):
        second = np.abs(values[:, :-2] + values[:, 2:] - 2 * values[:, 1:-1])
        profile = np.minimum(second, 32).mean(axis=0, dtype=np.float64)
        profile = profile - ndimage.uniform_filter1d(profile, 9, mode="nearest")
        magnitude = np.abs(np.fft.rfft(profile * np.hanning(profile.size)))
        frequency = np.fft.rfftfreq(profile.size)
        comb = np.abs(frequency * 8 - np.rint(frequency * 8)) < 24 / profile.size
        allowed = (frequency > 0.07) & ~comb
        if np.any(allowed):
            floor = np.median(magnitude[allowed]) + 1e-3
            peak = 20 * np.log10((magnitude[allowed].max() + 1e-3) / floor)
            strongest = max(strongest, float(peak))
    return strongest


def read_spectrum(luma_HW: FloatArray) -> Reading:
    """Spectrum of a (H, W) luma with sides of at least 32 pixels."""
    height, width = (side // 2 * 2 for side in luma_HW.shape)
    even = luma_HW[:height, :width]
    power = log_power(even)
    profile = radial_profile(power, height, width)
    slope, excess = power_law(profile)
    side_x, side_y, corner = checkerboard_peaks(power, height)
    seek = _plane(height, width)[2]
    above = power - ndimage.uniform_filter(power, 9, mode="wrap")
    lone = float(10 * above[seek].max()) if np.any(seek) else 0.0
    resampling = resampling_peak(luma_HW)
    relative = profile - profile.mean()
    features = {f"radial_{i:02d}": float(v) for i, v in enumerate(relative)}
    features |= {
        "slope": slope,
        "excess_db": excess,
        "checkerboard_x_db": side_x,
        "checkerboard_y_db": side_y,
        "checkerboard_xy_db": corner,
        "lone_peak_db": lone,
        "resampling_db": resampling,
    }
    values = {
        "image.spectral_slope": slope,
        "image.high_frequency_deviation": excess,
        "image.checkerboard_peak": max(side_x, side_y, corner),
        "image.resampling_peak": resampling,
    }
    return Reading(features, values)
