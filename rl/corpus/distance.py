"""How far forged media departs from its original, in [0, 1].

Pictures: structural dissimilarity (Wang et al., IEEE TIP 2004) and colour difference (CIE 1976).
Sound: mel-cepstral distortion (Kubichek, 1993) over the frames of a span.
"""

import cv2
import numpy as np
import scipy.fft
import scipy.signal

from encoders.types import ByteArray, FloatArray

# A colour difference of 40 in CIE L*a*b* is another colour altogether.
COLOUR_DIFFERENCE_FULL = 40.0
# A converted voice is about 8 dB from its target; a vocoder, 1 to 2; other words, beyond 8.
CEPSTRAL_DISTORTION_FULL_DB = 8.0


def dissimilarity_map(left_HWC: ByteArray, right_HWC: ByteArray) -> FloatArray:
    """Per-pixel distance of two RGB pictures, float32 (H, W) in [0, 1].

    The larger of (1 - SSIM) of the luminance and the colour difference over 40.
    """
    left = cv2.cvtColor(left_HWC.astype(np.float32) / 255.0, cv2.COLOR_RGB2LAB)
    right = cv2.cvtColor(right_HWC.astype(np.float32) / 255.0, cv2.COLOR_RGB2LAB)
    colour = np.linalg.norm(left - right, axis=2) / COLOUR_DIFFERENCE_FULL

    def blur(plane: FloatArray) -> FloatArray:
        blurred: FloatArray = cv2.GaussianBlur(plane, (0, 0), 1.5)
        return blurred

    x, y = left[..., 0] / 100.0, right[..., 0] / 100.0
    mean_x, mean_y = blur(x), blur(y)
    variance_x = blur(x * x) - mean_x**2
    variance_y = blur(y * y) - mean_y**2
    covariance = blur(x * y) - mean_x * mean_y
    c1, c2 = 0.01**2, 0.03**2
    ssim = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    ssim /= (mean_x**2 + mean_y**2 + c1) * (variance_x + variance_y + c2)
    result: FloatArray = np.clip(np.maximum(1.0 - ssim, colour), 0.0, 1.0).astype(np.float32)
    return result


def picture_distance(
    left_HWC: ByteArray, right_HWC: ByteArray, mask_HW: FloatArray | None = None
) -> float:
    """Mean of `dissimilarity_map`, weighted by `mask_HW` where one is given; in [0, 1]."""
    distances = dissimilarity_map(left_HWC, right_HWC)
    if mask_HW is None:
        return float(distances.mean())
    total = float(mask_HW.sum())
    return float((distances * mask_HW).sum() / total) if total > 0.0 else 0.0


def mel_filters(rate_hz: int, bins: int, bands: int) -> FloatArray:
    """Triangular filters on the mel scale, float32 (bands, bins), peaks of 1."""

    def mel(hertz: float) -> float:
        return 2595.0 * float(np.log10(1.0 + hertz / 700.0))

    edges_mel = np.linspace(mel(40.0), mel(rate_hz / 2), bands + 2)
    edges_hz = 700.0 * (10.0 ** (edges_mel / 2595.0) - 1.0)
    frequencies = np.linspace(0.0, rate_hz / 2, bins)
    rising = (frequencies - edges_hz[:-2, None]) / np.diff(edges_hz)[:-1, None]
    falling = (edges_hz[2:, None] - frequencies) / np.diff(edges_hz)[1:, None]
    filters: FloatArray = np.maximum(0.0, np.minimum(rising, falling)).astype(np.float32)
    return filters


def mel_cepstrum(waveform_T: FloatArray, rate_hz: int, coefficients: int = 13) -> FloatArray:
    """Mel cepstra every 10 ms, float32 (frames, coefficients), natural logarithm."""
    window = round(0.032 * rate_hz)
    step = round(0.010 * rate_hz)
    padded = np.pad(waveform_T, (0, max(0, window - waveform_T.size)))
    _, _, spectrum = scipy.signal.stft(
        padded, rate_hz, nperseg=window, noverlap=window - step, boundary=None, padded=False
    )
    power = np.abs(spectrum) ** 2
    bands = mel_filters(rate_hz, power.shape[0], 24) @ power
    # The floor keeps digital silence from counting as an infinite distance.
    log_bands = np.log(bands + 1e-7)
    cepstra: FloatArray = scipy.fft.dct(log_bands, axis=0, norm="ortho")[:coefficients].T
    return cepstra.astype(np.float32)


def cepstral_distance(left_T: FloatArray, right_T: FloatArray, rate_hz: int) -> float:
    """Mel-cepstral distortion of two stretches of equal length over 8 dB, clipped to [0, 1].

    c_0 (loudness) is left out. The scale is that of orthonormal cepstra of the log amplitude.
    """
    left = mel_cepstrum(left_T, rate_hz)[:, 1:] / 2.0
    right = mel_cepstrum(right_T, rate_hz)[:, 1:] / 2.0
    length = min(len(left), len(right))
    squared = ((left[:length] - right[:length]) ** 2).sum(axis=1)
    # 24 bands: an orthonormal DCT is sqrt(12) times the cepstrum of the textbook formula.
    distortion_db = 10.0 / np.log(10.0) * np.sqrt(2.0 * squared / 12.0)
    return float(np.clip(distortion_db.mean() / CEPSTRAL_DISTORTION_FULL_DB, 0.0, 1.0))
