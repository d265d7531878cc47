"""Files in and out. Both members of a pair pass through here with the same draws.

Everything is single-threaded and free of time stamps, so that the same arrays give the same bytes.
"""

import io
import wave
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

import av
import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from encoders.errors import CorruptMedia
from encoders.types import ByteArray, FloatArray
from rl.corpus.loudness import resample_to

PixelsT = TypeVar("PixelsT", ByteArray, FloatArray)
OPUS_RATES_HZ = (8_000, 12_000, 16_000, 24_000, 48_000)


def fit(image_HWC: PixelsT, side_pixels: int, *, multiple: int = 1) -> PixelsT:
    """Scale so that the longer side is `side_pixels`, both sides multiples of `multiple`."""
    height, width = image_HWC.shape[:2]
    scale = side_pixels / max(height, width)
    size = tuple(
        max(multiple, round(side * scale / multiple) * multiple) for side in (width, height)
    )
    method = cv2.INTER_AREA if scale < 1.0 else cv2.INTER_CUBIC
    fitted: PixelsT = cv2.resize(image_HWC, size, interpolation=method)
    return fitted


def read_picture(path: Path) -> ByteArray:
    """uint8 (H, W, 3) RGB."""
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def jpeg_bytes(image_HWC: ByteArray, quality: int) -> bytes:
    """A baseline JPEG with 4:2:0 chroma."""
    buffer = io.BytesIO()
    Image.fromarray(image_HWC).save(buffer, "JPEG", quality=quality, subsampling="4:2:0")
    return buffer.getvalue()


def read_jpeg(content: bytes) -> ByteArray:
    """uint8 (H, W, 3) RGB of an encoded picture."""
    with Image.open(io.BytesIO(content)) as picture:
        return np.asarray(picture.convert("RGB"))


def read_sound(path: Path, rate_hz: int) -> FloatArray:
    """Mono float32 of a 16-bit WAV or of any other sound file, limited to half of `rate_hz`.

    Raises:
        CorruptMedia: no sound that can be decoded, or a WAV that is not 16-bit.
    """
    if path.suffix.lower() != ".wav":
        return _decoded_sound(path, rate_hz)
    try:
        with wave.open(str(path)) as file:
            width, channels, source_hz = (
                file.getsampwidth(),
                file.getnchannels(),
                file.getframerate(),
            )
            content = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise CorruptMedia(
            f"{path.name}: {error}", expected="a WAV file", remedy="Fetch it again."
        ) from error
    if width != 2:
        raise CorruptMedia(
            f"{path.name}: {8 * width} bits", expected="16-bit samples", remedy="Convert it."
        )
    samples = np.frombuffer(content, "<i2").reshape(-1, channels).mean(axis=1) / 32768.0
    return resample_to(samples.astype(np.float32), source_hz, rate_hz)


def _decoded_sound(path: Path, rate_hz: int) -> FloatArray:
    try:
        with av.open(str(path), format=_format_of(path)) as container:
            source_hz = int(container.streams.audio[0].codec_context.sample_rate)
            resampler = av.AudioResampler(format="flt", layout="mono", rate=source_hz)
            blocks = [b for f in container.decode(audio=0) for b in resampler.resample(f)]
            blocks += resampler.resample(None)
    except (av.FFmpegError, IndexError) as error:
        raise CorruptMedia(
            f"{path.name}: {error}", expected="a file with sound", remedy="Fetch it again."
        ) from error
    sound = np.concatenate([np.zeros(0), *(block.to_ndarray()[0] for block in blocks)])
    return resample_to(sound.astype(np.float32), source_hz, rate_hz)


def _format_of(path: Path) -> str | None:
    # Raw GSM has no header to know it by.
    return "gsm" if path.suffix.lower() == ".gsm" else None


def sound_seconds(path: Path) -> float:
    """Length of a sound file by its header.

    Raises:
        CorruptMedia: it has no readable header.
    """
    try:
        if path.suffix.lower() == ".wav":
            with wave.open(str(path)) as file:
                return float(file.getnframes() / file.getframerate())
        with av.open(str(path), format=_format_of(path)) as container:
            return float((container.duration or 0) / av.time_base)
    except (wave.Error, EOFError, av.FFmpegError) as error:
        raise CorruptMedia(
            f"{path.name}: {error}", expected="a sound file", remedy="Fetch it again."
        ) from error


def sound_bytes(waveform_T: FloatArray, rate_hz: int) -> bytes:
    """A 16-bit mono WAV."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(_to_int16(waveform_T).tobytes())
    return buffer.getvalue()


def _to_int16(waveform_T: FloatArray) -> npt.NDArray[np.int16]:
    samples: npt.NDArray[np.int16] = np.clip(np.rint(waveform_T * 32767.0), -32768, 32767).astype(
        "<i2"
    )
    return samples


def _encode_sound(
    container: Any, stream: Any, waveform_T: FloatArray, rate_hz: int, layout: str = "mono"
) -> None:
    """Resample to what the encoder takes, and write; the caller closes the container."""
    resampler = av.AudioResampler(
        format=stream.format.name, layout=layout, rate=stream.rate, frame_size=stream.frame_size
    )
    frame = av.AudioFrame.from_ndarray(_to_int16(waveform_T)[None, :], format="s16", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = rate_hz, 0, Fraction(1, rate_hz)
    for block in [*resampler.resample(frame), *resampler.resample(None)]:
        container.mux(stream.encode(block))
    container.mux(stream.encode(None))


def through_codec(waveform_T: FloatArray, rate_hz: int, codec: str, kbps: int) -> FloatArray:
    """Encode with `codec` (`libmp3lame` or `libopus`) and decode; length and delay are undone."""
    buffer = io.BytesIO()
    container = av.open(buffer, "w", format="mp3" if codec == "libmp3lame" else "ogg")
    with container:
        stream = container.add_stream(codec, rate=rate_hz, layout="mono")
        stream.bit_rate = kbps * 1000
        stream.codec_context.open()
        _encode_sound(container, stream, waveform_T, rate_hz)
    buffer.seek(0)
    resampler = av.AudioResampler(format="flt", layout="mono", rate=rate_hz)
    with av.open(buffer) as decoded:
        blocks = [b for f in decoded.decode(audio=0) for b in resampler.resample(f)]
        blocks += resampler.resample(None)
    sound = np.concatenate([block.to_ndarray()[0] for block in blocks]).astype(np.float32)
    # What delay the decoder has not taken off shows as the best lag within 100 ms.
    lags = np.arange(-round(0.1 * rate_hz), round(0.1 * rate_hz) + 1)
    size = 1 << int(waveform_T.size + sound.size).bit_length()
    spectrum = np.fft.rfft(sound, size) * np.conj(np.fft.rfft(waveform_T, size))
    lag = int(lags[np.argmax(np.fft.irfft(spectrum, size)[lags])])
    shifted = sound[lag:] if lag >= 0 else np.pad(sound, (-lag, 0))
    length = waveform_T.size
    return np.pad(shifted, (0, max(0, length - shifted.size)))[:length].astype(np.float32)


def film_duration(path: Path) -> float:
    """Seconds of the first video stream."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        if stream.duration is not None and stream.time_base is not None:
            return float(stream.duration * stream.time_base)
        return float((container.duration or 0) / av.time_base)


def read_frames(
    path: Path, start_seconds: float, seconds: float, rate_range_hz: tuple[float, float]
) -> tuple[ByteArray, float]:
    """Frames of a window, and their rate after keeping every k-th: none is doubled.

    Returns uint8 (F, H, W, 3) RGB and frames per second, at most the upper bound (a slower film
    keeps its own rate).

    Raises:
        CorruptMedia: the film ends before the window does.
    """
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "NONE"
        source_hz = float(stream.average_rate or stream.base_rate or 25)
        step = max(1, int(np.ceil(source_hz / rate_range_hz[1] - 1e-3)))
        rate_hz = source_hz / step
        wanted = int(seconds * rate_hz)
        if start_seconds > 1.0:
            container.seek(int((start_seconds - 1.0) * av.time_base))
        frames: list[ByteArray] = []
        seen = 0
        for frame in container.decode(stream):
            if frame.time is None or frame.time < start_seconds - 0.5 / source_hz:
                continue
            if seen % step == 0:
                frames.append(frame.to_ndarray(format="rgb24"))
            seen += 1
            if len(frames) == wanted:
                return np.stack(frames), rate_hz
    raise CorruptMedia(
        f"{path.name} has {len(frames)} of {wanted} frames from {start_seconds:.1f} s",
        expected="a window inside the film",
        remedy="Take fewer clips of this source.",
    )


def read_film_sound(path: Path, start_seconds: float, seconds: float, rate_hz: int) -> FloatArray:
    """The film's own sound in a window, mono float32 (seconds x rate,), padded with silence."""
    resampler = av.AudioResampler(format="flt", layout="mono", rate=rate_hz)
    with av.open(str(path)) as container:
        blocks = [b for f in container.decode(audio=0) for b in resampler.resample(f)]
        blocks += resampler.resample(None)
    sound = np.concatenate([block.to_ndarray()[0] for block in blocks]).astype(np.float32)
    start, length = round(start_seconds * rate_hz), round(seconds * rate_hz)
    cut = sound[start : start + length]
    padded: FloatArray = np.pad(cut, (0, length - cut.size))
    return padded


def film_bytes(
    frames_FHWC: ByteArray,
    rate_hz: float,
    crf: int,
    sound_T: FloatArray | None = None,
    sound_rate_hz: int = 8_000,
) -> bytes:
    """An MP4 with H.264 video and, where there is sound, AAC at 16 kHz."""
    buffer = io.BytesIO()
    rate = Fraction(rate_hz).limit_denominator(1001)
    with av.open(buffer, "w", format="mp4", options={"fflags": "+bitexact"}) as container:
        # x264's macroblock tree reads unset memory on some processors: other bytes on each run.
        options = {"crf": str(crf), "preset": "veryfast", "x264-params": "threads=1:mbtree=0"}
        video = container.add_stream("libx264", rate=rate, options=options)
        video.height, video.width = frames_FHWC.shape[1:3]
        video.pix_fmt = "yuv420p"
        audio = None
        if sound_T is not None:
            audio = container.add_stream("aac", rate=16_000, layout="mono")
            audio.bit_rate = 64_000
            audio.codec_context.open()
        for pixels in frames_FHWC:
            container.mux(video.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(video.encode(None))
        if audio is not None and sound_T is not None:
            _encode_sound(container, audio, sound_T, sound_rate_hz)
    return buffer.getvalue()


def through_film_codec(frames_FHWC: ByteArray, rate_hz: float, crf: int) -> ByteArray:
    """The frames once through H.264; their number and size are kept."""
    with av.open(io.BytesIO(film_bytes(frames_FHWC, rate_hz, crf))) as container:
        stream = container.streams.video[0]
        stream.thread_type = "NONE"
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
    return np.stack(frames)
