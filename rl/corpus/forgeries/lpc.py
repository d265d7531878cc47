"""Speech rebuilt by linear prediction: pulses or noise through an all-pole filter a frame.

Source: Makhoul, Linear prediction: a tutorial review, Proc. IEEE 1975.
"""

import numpy as np
import numpy.typing as npt
import scipy.linalg
import scipy.signal

from encoders.types import FloatArray
from rl.corpus.forgeries.segment import choose_segment, put_segment
from rl.corpus.forgeries.types import Forged
from rl.corpus.loudness import match_loudness

CUE = "resynthesised voice"
ORDERS = (10, 16)
FRAME_SECONDS, HOP_SECONDS = 0.032, 0.008
PITCH_HZ = (70.0, 400.0)
VOICED_CORRELATION = 0.4

Vector = npt.NDArray[np.float64]


def prediction(signal_T: Vector, order: int) -> tuple[Vector, float]:
    """Predictor a_1..a_p of x_t = sum a_k x_(t-k), and the RMS of what it leaves (eq. 19, 26)."""
    size = signal_T.size
    correlation = np.correlate(signal_T, signal_T, "full")[size - 1 : size + order] / size
    # A little white noise keeps the equations solvable in silence.
    correlation[0] = correlation[0] * (1.0 + 1e-6) + 1e-12
    predictor: Vector = scipy.linalg.solve_toeplitz(correlation[:-1], correlation[1:])
    return predictor, float(np.sqrt(max(correlation[0] - predictor @ correlation[1:], 0.0)))


def pitch(signal_T: Vector, rate_hz: int) -> float:
    """Hertz at the highest peak of the autocorrelation from 70 to 400 Hz; 0 where unvoiced."""
    centred = signal_T - signal_T.mean()
    correlation = np.correlate(centred, centred, "full")[centred.size - 1 :]
    shortest, longest = (int(rate_hz / bound) for bound in reversed(PITCH_HZ))
    lag = shortest + int(np.argmax(correlation[shortest : longest + 1]))
    is_voiced = correlation[lag] > VOICED_CORRELATION * correlation[0] > 0.0
    return rate_hz / lag if is_voiced else 0.0


def excite(signal_T: Vector, rate_hz: int, rng: np.random.Generator) -> Vector:
    """Unit noise, and in voiced stretches a train of unit-power pulses at the signal's pitch."""
    size, hop = round(FRAME_SECONDS * rate_hz), round(HOP_SECONDS * rate_hz)
    excitation = rng.standard_normal(signal_T.size)
    until_pulse = 0.0
    for start in range(0, signal_T.size - size, hop):
        frequency_hz = pitch(signal_T[start : start + size], rate_hz)
        if frequency_hz == 0.0:
            until_pulse = 0.0
            continue
        # The pulses of a hop go on where those of the one before stopped.
        period = rate_hz / frequency_hz
        pulses = np.arange(until_pulse, hop, period)
        middle = start + (size - hop) // 2
        excitation[middle : middle + hop] = 0.0
        excitation[middle + pulses.astype(int)] = np.sqrt(period)
        until_pulse += pulses.size * period - hop
    return excitation


def resynthesise(
    waveform_T: FloatArray, rate_hz: int, order: int, rng: np.random.Generator
) -> FloatArray:
    """Filter the excitation frame by frame, 32 ms overlapped by three quarters; length is kept."""
    size, hop = round(FRAME_SECONDS * rate_hz), round(HOP_SECONDS * rate_hz)
    window = scipy.signal.get_window("hann", size)
    signal = np.pad(waveform_T.astype(np.float64), size)
    excitation = excite(signal, rate_hz, rng)
    rebuilt = np.zeros(signal.size)
    for start in range(0, signal.size - size, hop):
        frame = slice(start, start + size)
        predictor, gain = prediction(signal[frame] * window, order)
        poles = np.concatenate([[1.0], -predictor])
        rebuilt[frame] += scipy.signal.lfilter([gain], poles, excitation[frame]) * window
    voice = rebuilt[size : size + waveform_T.size].astype(np.float32)
    return match_loudness(voice, waveform_T)


def lpc(waveform_T: FloatArray, rate_hz: int, rng: np.random.Generator) -> Forged[FloatArray]:
    """Replace a segment, or all, by its resynthesis from 10 or 16 predictor coefficients.

    waveform_T: float32 mono in [-1, 1].
    """
    segment = choose_segment(waveform_T.size, rng)
    order = int(rng.choice(ORDERS))
    voice = resynthesise(waveform_T, rate_hz, order, rng)
    return put_segment(waveform_T, voice, segment, rate_hz, CUE, f"lpc_{order}")
