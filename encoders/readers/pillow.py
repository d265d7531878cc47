"""Pillow: stills and short animations."""

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
import pillow_heif
from PIL import ExifTags, Image, PngImagePlugin, UnidentifiedImageError

from encoders.base import ReadLimits, ReadRequest
from encoders.errors import CorruptMedia, LimitExceeded, UnsupportedMedia
from encoders.formats import Format
from encoders.readers.opening import clean_tags, describe, identify
from encoders.readers.selection import select
from encoders.types import ByteArray, DecodedMedia, MediaMetadata, Modality, StreamInfo

_ANIMATION_FRAMES_MAX = 2000
_DEFAULT_FRAME_SECONDS = 0.1  # what browsers use where a GIF says 0
# Pillow tells how long a frame of these is shown only when it has decoded it.
_TIMED_WHEN_DECODED = ("WEBP", "AVIF")
# EXIF 2.3, tag 0x0112: how to turn the stored picture upright.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# Colour profiles of printers and edit histories pass a mebibyte; all of them together stay
# below Pillow's own MAX_TEXT_MEMORY.
PngImagePlugin.MAX_TEXT_CHUNK = 16 * 2**20
pillow_heif.register_heif_opener(thumbnails=False)


class PillowReader:
    """Decodes JPEG, PNG, WebP, GIF, TIFF, BMP, HEIC and AVIF, upright, as RGB."""

    name = "pillow"

    def read(self, path: str, request: ReadRequest, limits: ReadLimits) -> DecodedMedia:
        """See `MediaReader.read`. An animation comes back as video.

        Raises:
            MediaError: not a still, damaged, or beyond `limits`.
        """
        form, size = identify(path)
        if not form.pillow:
            raise UnsupportedMedia(
                f"a {form.name} file", expected="a still picture", remedy="Read it with PyAV."
            )
        # The limit is enforced below, with the size in the message.
        Image.MAX_IMAGE_PIXELS = None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # on EXIF oddities; the pixels decide
                with Image.open(path, formats=[form.pillow]) as image:
                    return self._decode(path, image, form, size, request, limits)
        except UnidentifiedImageError as error:
            raise CorruptMedia(
                f"the {form.name} header cannot be read",
                expected="a complete picture",
                remedy="Fetch the file again, or ask for the original.",
            ) from error
        except (OSError, SyntaxError, ValueError, EOFError, IndexError) as error:
            raise CorruptMedia(
                f"the {form.name} picture does not decode ({describe(error)})",
                expected="a complete picture",
                remedy="Fetch the file again, or ask for the original.",
            ) from error

    def _decode(
        self,
        path: str,
        image: Image.Image,
        form: Format,
        size: int,
        request: ReadRequest,
        limits: ReadLimits,
    ) -> DecodedMedia:
        width, height = image.size
        if width * height > limits.pixels_max:
            raise LimitExceeded(
                "pixels",
                f"the picture is {width}x{height}",
                expected=f"at most {limits.pixels_max} pixels",
                remedy="Scale the picture down, or raise the limit on pixels.",
            )
        exif = read_exif(image)
        turn = None if exif is None else _TURNS.get(exif.get(ExifTags.Base.Orientation, 1))
        source = PillowFrames(image, limits, turn)
        frames = select(source, request.sampling, limits)
        if form.pillow == "JPEG" and image.mode in ("L", "RGB"):
            _refuse_damaged_jpeg(path, limits)
        count = len(source.timestamps_F)
        is_moving = count > 1
        info = StreamInfo(
            kind="video" if is_moving else "image",
            codec=form.name,
            width=width,
            height=height,
            frames=count if is_moving else None,
            duration_seconds=source.duration_seconds if is_moving else None,
        )
        notes = [] if turn is None else ["the picture was turned upright as its EXIF says"]
        notes += ["its EXIF data is damaged and was not read"] if exif is None else []
        notes += source.notes
        return DecodedMedia(
            metadata=MediaMetadata(
                container=form.name,
                size_bytes=size,
                sha256="",
                claimed=(info,),
                observed=(info,),
                reader=self.name,
                tags=_tags(image, exif or Image.Exif()),
                notes=tuple(notes),
            ),
            modality=Modality.VIDEO if is_moving else Modality.IMAGE,
            duration_seconds=source.duration_seconds,
            frames=frames,
            audio=None,
        )


class PillowFrames:
    """A `FrameSource` over a Pillow image; a still is one frame at 0 s.

    turn: what makes the stored picture upright.
    """

    def __init__(
        self, image: Image.Image, limits: ReadLimits, turn: Image.Transpose | None = None
    ) -> None:
        self._image, self._turn = image, turn
        self.notes: list[str] = []
        # A multi-picture JPEG or a TIFF holds pages, which do not follow each other in time.
        pages = image.format in ("MPO", "TIFF", "HEIF")
        claimed = 1 if pages else getattr(image, "n_frames", 1)
        count = min(claimed, _ANIMATION_FRAMES_MAX)
        seconds = self._durations(count, limits) if count > 1 else [0.0]
        if len(seconds) < claimed:
            self.notes.append(f"read up to frame {len(seconds)} of {claimed}; the rest is not")
        ends = np.cumsum(seconds)
        self.timestamps_F = np.concatenate([[0.0], ends[:-1]]).astype(np.float64)
        self.duration_seconds = float(ends[-1])

    def _durations(self, count: int, limits: ReadLimits) -> list[float]:
        seconds: list[float] = []
        for number in range(count):
            self._image.seek(number)
            if self._image.format in _TIMED_WHEN_DECODED:
                self._image.load()
            shown = float(self._image.info.get("duration", 0) or 0) / 1000.0
            seconds.append(shown if shown > 0.0 else _DEFAULT_FRAME_SECONDS)
            if sum(seconds) > limits.duration_seconds_max:
                break
        return seconds

    def fetch(self, indices: Sequence[int]) -> Iterator[ByteArray]:
        """See `FrameSource.fetch`."""
        for index in indices:
            if len(self.timestamps_F) > 1:
                self._image.seek(index)
            self._image.load()
            yield _rgb(self._image if self._turn is None else self._image.transpose(self._turn))


def read_exif(image: Image.Image) -> Image.Exif | None:
    """The EXIF data; None where it is damaged, which says nothing of the pixels."""
    try:
        exif = image.getexif()
        exif.get_ifd(ExifTags.IFD.Exif)
    except MemoryError:
        raise
    except Exception:  # Pillow parses it with whatever errors its own steps raise
        return None
    return exif


def _refuse_damaged_jpeg(path: str, limits: ReadLimits) -> None:
    """Pillow paints over broken entropy-coded data without a word; FFmpeg can be strict."""
    av.logging.set_level(None)
    decoder = av.CodecContext.create("mjpeg", "r")
    decoder.thread_count = 1
    decoder.options = {"err_detect": "explode", "max_pixels": str(limits.pixels_max)}
    try:
        decoder.decode(av.Packet(Path(path).read_bytes()))
        decoder.decode(None)
    except MemoryError:
        raise  # PyAV's is a ValueError too, but says nothing of the file
    except av.error.InvalidDataError as error:
        raise CorruptMedia(
            "the jpeg picture has damaged data",
            expected="a picture that decodes without errors",
            remedy="Fetch the file again, or ask for the original.",
        ) from error


def _rgb(image: Image.Image) -> ByteArray:
    """uint8 (H, W, 3); transparency over white, 16-bit grey scaled instead of clipped."""
    if image.mode.startswith("I;16") or image.mode == "I":
        grey = np.clip(np.asarray(image).astype(np.int64) >> 8, 0, 255).astype(np.uint8)
        return np.repeat(grey[:, :, None], 3, axis=2)
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, (255, 255, 255, 255))
        image = Image.alpha_composite(white, layer)
    return np.asarray(image.convert("RGB"), dtype=np.uint8)


def _tags(image: Image.Image, exif: Image.Exif) -> dict[str, str]:
    named: dict[str, Any] = {ExifTags.TAGS.get(k, str(k)): v for k, v in exif.items()}
    named.update(
        {ExifTags.TAGS.get(k, str(k)): v for k, v in exif.get_ifd(ExifTags.IFD.Exif).items()}
    )
    texts = {str(k): v for k, v in image.info.items() if isinstance(v, str)}
    return clean_tags({**texts, **named})
