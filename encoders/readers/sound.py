"""Raw decoded sound to the mono waveform that encoders read."""

import av
import numpy as np
import numpy.typing as npt

from encoders.errors import CorruptMedia
from encoders.readers.packets import AudioScan
from encoders.readers.scan import DAMAGED_SHARE_MAX
from encoders.types import AudioSamples, FloatArray


def downmix(samples_CT: npt.NDArray[np.floating]) -> FloatArray:
    """Mean over channels: stays in [-1, 1], where FFmpeg's float mix may reach 1.41."""
    mixed: FloatArray = samples_CT.astype(np.float32, copy=False).mean(axis=0, dtype=np.float32)
    return mixed


def resample(waveform_T: FloatArray, rate_hz: int, wanted_hz: int) -> FloatArray:
    """A mono waveform at another rate, aligned to the sample."""
    if rate_hz == wanted_hz or waveform_T.size == 0:
        return waveform_T
    resampler = av.AudioResampler(format="fltp", layout="mono", rate=wanted_hz)
    frame = av.AudioFrame.from_ndarray(waveform_T[None, :], format="fltp", layout="mono")
    frame.sample_rate = rate_hz
    pieces = [*resampler.resample(frame), *resampler.resample(None)]
    joined: FloatArray = np.concatenate([piece.to_ndarray()[0] for piece in pieces])
    return joined


def assemble(
    waveform_T: FloatArray, found: AudioScan, sample_rate_hz: int, seconds_max: float
) -> AudioSamples | None:
    """Put the waveform on the file's clock and within bounds; None when nothing is left.

    A stream that starts late is preceded by zeros, so that sample i is always at
    i / sample_rate_hz seconds of the file. Silence at either end is kept.
    """
    late = round(min(max(found.start_seconds, 0.0), seconds_max) * sample_rate_hz)
    if late >= sample_rate_hz // 1000:
        waveform_T = np.concatenate([np.zeros(late, dtype=np.float32), waveform_T])
    waveform_T = waveform_T[: max(1, round(seconds_max * sample_rate_hz))]
    if waveform_T.size == 0:
        return None
    finite = np.nan_to_num(waveform_T, nan=0.0, posinf=1.0, neginf=-1.0)
    return AudioSamples(
        waveform_T=np.clip(finite, -1.0, 1.0).astype(np.float32),
        sample_rate_hz=sample_rate_hz,
        source_sample_rate_hz=found.sample_rate_hz,
    )


def judge_damage(kind: str, damaged: int, total: int) -> str | None:
    """A note where a little of the content is broken.

    Raises:
        CorruptMedia: more than `DAMAGED_SHARE_MAX` of it is.
    """
    if damaged == 0:
        return None
    if damaged > DAMAGED_SHARE_MAX * total:
        raise CorruptMedia(
            f"{damaged} of {total} decoded {kind} are damaged",
            expected=f"at most {DAMAGED_SHARE_MAX:.0%}",
            remedy="Fetch the file again, or ask for the original.",
        )
    return f"{damaged} of {total} decoded {kind} are damaged"
