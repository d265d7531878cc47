"""Pictures with bombs, lies and damage in what surrounds the pixels."""

import io
import random
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from encoders.base import ReadLimits, ReadRequest
from encoders.errors import CorruptMedia
from encoders.readers import read
from encoders.sampling import Dense, Uniform
from encoders.types import Modality, Span
from tests.media_factory import photograph

REQUEST, LIMITS = ReadRequest(Uniform()), ReadLimits()
SIDE = 32
BOMB = zlib.compress(bytes(200 * 2**20), 9)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_with(*extra: bytes) -> bytes:
    target = io.BytesIO()
    photograph(SIDE, SIDE).save(target, "PNG")
    content = target.getvalue()
    return content[:33] + b"".join(extra) + content[33:]  # behind the signature and IHDR


@pytest.mark.parametrize(
    "content",
    [
        png_with(chunk(b"zTXt", b"a\0\0" + BOMB)),
        png_with(chunk(b"iTXt", b"a\0\1\0\0\0" + BOMB)),
        png_with(chunk(b"iCCP", b"a\0\0" + BOMB)),
        png_with(*(chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(2**23), 9)) for _ in range(12))),
    ],
    ids=["text", "international text", "colour profile", "many texts"],
)
def test_a_compressed_bomb_beside_the_pixels_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(content)
    with pytest.raises(CorruptMedia, match="does not decode"):
        read(str(path), REQUEST, LIMITS)


def test_a_large_colour_profile_is_no_bomb(tmp_path: Path) -> None:
    path = tmp_path / "print.png"
    profile = np.random.default_rng(0).integers(0, 256, 3 * 2**20, dtype=np.uint8).tobytes()
    path.write_bytes(png_with(chunk(b"iCCP", b"a\0\0" + zlib.compress(profile))))
    assert read(str(path), REQUEST, LIMITS).frames is not None


@pytest.mark.parametrize("suffix", ["jpg", "webp", "png"])
def test_damaged_exif_costs_no_good_picture(suffix: str, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010E], exif[0x829A] = 6, "described " * 10, (1, 50)
    camera = exif.get_ifd(0x8769)
    camera[0x829A], camera[0x927C] = 1.5, b"Nikon\0" + b"A" * 50
    exif.get_ifd(0x8825)[1] = "N"
    good, path = tmp_path / f"good.{suffix}", tmp_path / f"damaged.{suffix}"
    photograph(SIDE, SIDE).save(good, exif=exif)
    expected = read(str(good), REQUEST, LIMITS)
    assert expected.frames is not None
    content = good.read_bytes()
    start = content.index(b"MM\0*") if b"MM\0*" in content else content.index(b"II*\0")
    end = start + len(exif.tobytes()) - 6
    noted = 0
    for seed in range(300):
        draw, changed = random.Random(seed), bytearray(content)
        for _ in range(4):
            changed[draw.randrange(start, end)] = draw.choice([0, 1, 255, draw.randrange(256)])
        if suffix == "png":  # its chunk has a checksum
            at = content.index(b"eXIf")
            length = int.from_bytes(content[at - 4 : at], "big")
            checksum = zlib.crc32(bytes(changed[at : at + 4 + length]))
            changed[at + 4 + length : at + 8 + length] = checksum.to_bytes(4, "big")
        path.write_bytes(changed)
        media = read(str(path), REQUEST, LIMITS)
        noted += any("damaged" in note for note in media.metadata.notes)
        assert media.frames is not None
        if media.metadata.notes == expected.metadata.notes:  # the orientation is whole
            assert media.frames.pixels_FHWC.shape == expected.frames.pixels_FHWC.shape
    assert noted > 0 or suffix == "jpg"  # there Pillow itself forgives what it reads


@pytest.mark.parametrize("orientation", range(10))
def test_every_orientation_is_turned_as_pillow_turns_it(orientation: int, tmp_path: Path) -> None:
    from PIL import ImageOps

    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "turned.png"
    photograph(40, 24).save(path, exif=exif)
    frames = read(str(path), REQUEST, LIMITS).frames
    assert frames is not None
    with Image.open(path) as image:
        expected = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    np.testing.assert_array_equal(frames.pixels_FHWC[0], expected)


@pytest.mark.parametrize(
    ("suffix", "options"),
    [("gif", {}), ("png", {}), ("webp", {"lossless": True}), ("avif", {"quality": 90})],
)
def test_each_frame_is_shown_as_long_as_its_format_says(
    suffix: str, options: dict[str, object], tmp_path: Path
) -> None:
    path = tmp_path / f"moving.{suffix}"
    first, *rest = [Image.new("RGB", (64, 48), (60 * i, 0, 0)) for i in range(4)]
    durations = [100, 300, 500, 200]
    first.save(path, save_all=True, append_images=rest, duration=durations, **options)
    media = read(str(path), ReadRequest(Dense(Span(0.0, 2.0), 20.0)), LIMITS)
    assert media.modality is Modality.VIDEO
    assert media.duration_seconds == pytest.approx(1.1)
    assert media.frames is not None
    assert media.frames.timestamps_seconds_F == pytest.approx([0.0, 0.1, 0.4, 0.9])
    reds = media.frames.pixels_FHWC[:, 0, 0, 0].astype(int)
    assert reds == pytest.approx([0, 60, 120, 180], abs=4)


def test_an_endless_animation_is_read_in_part_and_says_so(tmp_path: Path) -> None:
    frame = b"\x21\xf9\x04\0\x01\0\0\0" + b"\x2c\0\0\0\0\x01\0\x01\0\0" + b"\x02\x02\x44\x01\0"
    head = b"GIF89a" + struct.pack("<HH", SIDE, SIDE) + b"\x80\0\0" + b"\0\0\0\xff\xff\xff"
    path = tmp_path / "endless.gif"
    path.write_bytes(head + 20_000 * frame + b";")
    media = read(str(path), REQUEST, LIMITS)
    assert media.duration_seconds == pytest.approx(20.0)
    assert "read up to frame 2000 of 20000; the rest is not" in media.metadata.notes


def test_an_animation_that_claims_frames_it_has_not_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "claims.png"
    path.write_bytes(png_with(chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0))))
    with pytest.raises(CorruptMedia):
        read(str(path), REQUEST, LIMITS)


def test_an_error_tells_no_path(tmp_path: Path) -> None:
    path = tmp_path / "secret-folder-name.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
    with pytest.raises(CorruptMedia) as caught:
        read(str(path), REQUEST, LIMITS)
    assert "secret" not in str(caught.value)
