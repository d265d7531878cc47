"""Ways of putting text into media: drawn in pictures and frames, spoken, written in metadata."""

import io
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from encoders.types import FloatArray, Modality
from rl.corpus.codecs import sound_bytes
from rl.corpus.forgeries.speech import Speaker, read_aloud
from rl.corpus.loudness import match_loudness
from rl.probes.media import PIXELS, X264, has_sound, picture_size, read_waveform, transcode
from rl.probes.picture_degradations import png_bytes

BAND_SHARE = 0.14
WIDTH_SHARE = 0.9
FINE_CRF = 12
GAP_SECONDS = 0.2
SPEECH_SHARE = 0.8
EXIF_DESCRIPTION, EXIF_COMMENT = 0x010E, 0x9286
VOICE = Speaker("espeak-ng", "en-us")


def text_band(text: str, width: int, height: int) -> Image.Image:
    """A transparent picture of this size with `text`, white on black, at the bottom.

    The band's size does not depend on the text; the letters fill it.
    """
    overlay = Image.new("RGBA", (width, height))
    draw = ImageDraw.Draw(overlay)
    top = height - round(BAND_SHARE * height)
    draw.rectangle((0, top, width, height), fill=(0, 0, 0, 255))
    trial = ImageFont.load_default(100)
    size = 100 * min(
        WIDTH_SHARE * width / max(trial.getlength(text), 1.0), 0.7 * (height - top) / 100
    )
    font = ImageFont.load_default(max(6.0, size))
    middle = (width / 2, (top + height) / 2)
    draw.text(middle, text, font=font, fill=(255, 255, 255, 255), anchor="mm")
    return overlay


def draw_in_picture(path: Path, _: int, *, text: str) -> bytes:
    """The picture with a band of text; PNG."""
    with Image.open(path) as opened:
        picture = opened.convert("RGBA")
    return png_bytes(Image.alpha_composite(picture, text_band(text, *picture.size)).convert("RGB"))


def draw_in_film(path: Path, _: int, *, text: str) -> bytes:
    """Every frame with a band of text; the sound as it was."""
    sound = ("-map", "0:a:0", "-c:a", "copy") if has_sound(path) else ()
    with tempfile.TemporaryDirectory() as folder:
        band = Path(folder, "band.png")
        text_band(text, *picture_size(path)).save(band)
        arguments = ("-filter_complex", "[0:v][1:v]overlay[v]", "-map", "[v]", *sound)
        arguments += (*X264, "-crf", str(FINE_CRF), *PIXELS)
        return transcode(path, arguments, ".mp4", inputs=[band])


def spoken(text: str, waveform_T: FloatArray, rate_hz: int) -> FloatArray:
    """`text` read by espeak-ng at the loudness of the recording.

    Raises:
        SpeechEngineError: espeak-ng is not there.
    """
    return match_loudness(read_aloud(VOICE, text, rate_hz), waveform_T)


def append_speech(path: Path, _: int, *, text: str) -> bytes:
    """The sound, a short gap, then the speech; a 16-bit WAV."""
    waveform, rate_hz = read_waveform(path)
    gap = np.zeros(round(GAP_SECONDS * rate_hz), np.float32)
    return sound_bytes(np.concatenate([waveform, gap, spoken(text, waveform, rate_hz)]), rate_hz)


def mix_speech(path: Path, _: int, *, text: str) -> bytes:
    """The speech over the sound from its start; a 16-bit WAV."""
    waveform, rate_hz = read_waveform(path)
    return sound_bytes(_mixed(waveform, spoken(text, waveform, rate_hz)), rate_hz)


def _mixed(waveform_T: FloatArray, speech_T: FloatArray) -> FloatArray:
    """The speech 12 dB above the sound: at equal levels the recogniser gives no transcript."""
    mixed = np.zeros(max(waveform_T.size, speech_T.size), np.float32)
    mixed[: waveform_T.size] += np.float32(1.0 - SPEECH_SHARE) * waveform_T
    mixed[: speech_T.size] += np.float32(SPEECH_SHARE) * speech_T
    return mixed


def mix_into_film(path: Path, _: int, *, text: str) -> bytes:
    """The speech over the film's sound, or alone where it has none; the picture as it was."""
    if has_sound(path):
        waveform, rate_hz = read_waveform(path)
        sound = _mixed(waveform, spoken(text, waveform, rate_hz))
    else:
        rate_hz = 16_000
        sound = read_aloud(VOICE, text, rate_hz)
    with tempfile.TemporaryDirectory() as folder:
        track = Path(folder, "speech.wav")
        track.write_bytes(sound_bytes(sound, rate_hz))
        arguments = ("-map", "0:v:0", "-map", "1:a:0", "-c:v", "copy", "-c:a", "aac")
        return transcode(path, (*arguments, "-b:a", "64k"), ".mp4", inputs=[track])


def tag_picture(path: Path, _: int, *, text: str) -> bytes:
    """The same pixels, coded losslessly, with `text` as EXIF description and comment."""
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    exif = Image.Exif()
    exif[EXIF_DESCRIPTION] = text
    exif[EXIF_COMMENT] = text
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", exif=exif, compress_level=1)
    return buffer.getvalue()


def tag_stream(path: Path, _: int, *, text: str) -> bytes:
    """The same streams with `text` as the container's title and comment."""
    tags = ("-metadata", f"title={text}", "-metadata", f"comment={text}")
    return transcode(path, ("-map", "0", "-c", "copy", *tags), path.suffix)


def untouched(path: Path, _: int) -> bytes:
    """The same bytes, for a change of name alone."""
    return path.read_bytes()


DRAW = {Modality.IMAGE: (draw_in_picture, ".png"), Modality.VIDEO: (draw_in_film, ".mp4")}
TAG = {
    Modality.IMAGE: (tag_picture, ".png"),
    Modality.AUDIO: (tag_stream, ""),
    Modality.VIDEO: (tag_stream, ""),
}
