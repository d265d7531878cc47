"""Containers that point elsewhere, hide a second stream, or carry codecs off the allow-list."""

import struct
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from encoders.base import MediaReader, ReadLimits, ReadRequest
from encoders.errors import MediaError
from encoders.formats import sniff
from encoders.readers import decord, read
from encoders.readers.decord import DecordReader
from encoders.readers.opening import allowed_decoders, guarded, identify
from encoders.readers.pyav import PyAVReader
from encoders.readers.scan import scan
from encoders.sampling import Uniform
from encoders.sandbox import Sandbox
from encoders.types import DecodedMedia
from tests.media_factory import ffmpeg
from tests.media_patches import boxes

REQUEST, LIMITS = ReadRequest(Uniform()), ReadLimits()
H264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]


def colour(name: str) -> list[str]:
    return ["-f", "lavfi", "-i", f"color={name}:s=64x48:r=10:d=1"]


def mean_colour(media: DecodedMedia) -> np.ndarray:
    assert media.frames is not None
    return media.frames.pixels_FHWC.mean(axis=(0, 1, 2))


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + kind + content


def alias_to(name: str) -> bytes:
    """A Macintosh alias record for a file beside this one, as FFmpeg's mov demuxer reads it."""
    target = f"volume/{name}".encode()
    target += bytes(len(target) % 2)
    record = bytes(4 + 10) + bytes(28) + bytes(12) + bytes(64) + bytes(16)
    record += struct.pack(">HH", 1, 1) + bytes(16)
    record += struct.pack(">HH", 2, len(target)) + target + struct.pack(">Hh", 0xFFFF, 0)
    return box(b"alis", record)


def with_external_data(content: bytes, name: str) -> bytes:
    """A QuickTime film whose only track says that its data lie in the file `name`."""
    kinds = {kind: (start, end) for kind, start, end in boxes(content)}
    start = content.index(b"dinf") - 4
    end = start + int.from_bytes(content[start : start + 4], "big")
    new = box(b"dinf", box(b"dref", struct.pack(">II", 0, 1) + alias_to(name)))
    changed = bytearray(content)
    for outer in (b"moov", b"trak", b"mdia", b"minf"):
        at = kinds[outer][0]
        size = int.from_bytes(content[at : at + 4], "big") + len(new) - (end - start)
        changed[at : at + 4] = struct.pack(">I", size)
    changed[start:end] = new
    return bytes(changed)


@pytest.fixture
def film_with_external_data(tmp_path: Path) -> Path:
    """A green film's index in one file, pointing to the red film beside it."""
    ffmpeg(*colour("red"), *H264, "-f", "mov", str(tmp_path / "private.mov"))
    ffmpeg(*colour("green"), *H264, "-f", "mov", str(tmp_path / "own.mov"))
    path = tmp_path / "upload.mov"
    content = (tmp_path / "private.mov").read_bytes()
    path.write_bytes(with_external_data(content, "private.mov"))
    return path


@pytest.mark.parametrize("reader", [PyAVReader(), DecordReader()], ids=["pyav", "decord"])
def test_data_in_another_file_are_not_fetched(
    reader: MediaReader, film_with_external_data: Path
) -> None:
    with av.open(
        str(film_with_external_data), format="mov", options={"enable_drefs": "1"}
    ) as container:
        assert next(container.decode(video=0)).width == 64  # so the reference is a good one
    with pytest.raises(MediaError):
        reader.read(str(film_with_external_data), REQUEST, LIMITS)


def test_two_videos_in_one_file_are_told_and_the_first_is_read(tmp_path: Path) -> None:
    path = tmp_path / "two.mkv"
    second = ["-disposition:v:0", "0", "-disposition:v:1", "default", "-b:v:1", "2M"]
    ffmpeg(*colour("red"), *colour("blue"), "-map", "0", "-map", "1", *H264, *second, str(path))
    media = read(str(path), REQUEST, LIMITS)
    red, _, blue = mean_colour(media)
    assert red > 200 > 50 > blue
    assert media.metadata.reader == "pyav"  # decord takes the one that it likes best
    assert "1 more streams of picture or sound were not looked at" in media.metadata.notes


@pytest.mark.parametrize("codec", ["zmbv", "flashsv", "gif"])
def test_a_stream_off_the_list_is_opened_by_nobody(codec: str, tmp_path: Path) -> None:
    path = tmp_path / "foreign.mkv"
    inputs = [*colour("red"), *colour("blue"), "-map", "0", "-map", "1"]
    ffmpeg(*inputs, "-c:v:0", codec, "-c:v:1", "libx264", "-pix_fmt:v:1", "yuv420p", str(path))
    with av.open(str(path)) as container:  # without a list, FFmpeg opens it to learn its format
        assert container.streams[0].codec_context.pix_fmt is not None
    form, _ = identify(str(path))
    with guarded(str(path), form, LIMITS) as container:
        assert container.streams[0].codec_context.pix_fmt is None
    media = read(str(path), REQUEST, LIMITS)
    assert media.metadata.reader == "pyav"
    assert mean_colour(media)[2] > 200
    assert f"video codec {codec} was not decoded" in media.metadata.notes


def test_subtitles_and_attachments_keep_decord_away(tmp_path: Path) -> None:
    (tmp_path / "words.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nHello\n")
    (tmp_path / "font.ttf").write_bytes(b"\0\1\0\0" + bytes(1000))
    path = tmp_path / "film.mkv"
    attach = ["-attach", str(tmp_path / "font.ttf"), "-metadata:s:t", "mimetype=font/ttf"]
    ffmpeg(*colour("red"), "-i", str(tmp_path / "words.srt"), *attach, *H264, str(path))
    form, size = identify(str(path))
    kinds = {text.split()[0] for text in scan(str(path), form, size, LIMITS).other_streams}
    assert kinds == {"subtitle", "attachment"}
    media = read(str(path), REQUEST, LIMITS)
    assert media.metadata.reader == "pyav"
    assert media.metadata.notes == ()


def test_the_allow_list_has_a_decoder_for_every_good_file(good_media: dict[str, Path]) -> None:
    for name, path in good_media.items():
        form, _ = identify(str(path))
        if form.pillow:
            continue
        with av.open(str(path)) as container:
            for stream in container.streams:
                if stream.type in ("video", "audio"):
                    assert stream.codec_context.name in allowed_decoders(), name


@pytest.mark.parametrize(
    "head",
    [
        b"#EXTM3U\n#EXTINF:1,\nhttp://example.org/a.ts\n",
        b"ffconcat version 1.0\nfile /etc/hostname\n",
        b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nc=IN IP4 127.0.0.1\r\nm=video 5004 RTP/AVP 96\r\n",
        b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"></MPD>',
        b"<smil><body/></smil>",
        b"[playlist]\nFile1=http://example.org/a\n",
        b";FFMETADATA1\n",
        b"[Reference]\nRef1=http://example.org/a\n",
        b"\x00\x00\x00\x00rmra",
    ],
)
def test_lists_and_scripts_that_name_other_files_are_no_format(head: bytes) -> None:
    assert sniff(head + bytes(512)) is None


@pytest.mark.parametrize(
    "name",
    [
        *("film%d.mp4", "%03d.mp4", "film*.mp4", "concat:a|b.mp4", "http:film.mp4", "-i.mp4"),
        *("data:text,film.mp4", "pipe:0", "|cat.mp4", "film.m3u8", "film.sdp", "film.ffconcat"),
    ],
)
def test_a_name_is_nothing_but_a_name(
    name: str, tmp_path: Path, good_media: dict[str, Path]
) -> None:
    path = tmp_path / name
    path.write_bytes(good_media["silent_mp4"].read_bytes())
    (tmp_path / "film1.mp4").write_bytes(b"another file that a pattern would find")
    assert read(str(path), REQUEST, LIMITS).frames is not None


def test_names_mean_nothing_in_the_sandbox_either(
    tmp_path: Path, good_media: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with Sandbox() as sandbox:
        for name in ("film%d.mp4", "pipe:0", "http:film.mp4", "-i"):
            Path(name).write_bytes(good_media["silent_mp4"].read_bytes())
            assert sandbox.read(name, REQUEST).metadata.notes == ()


def test_another_film_than_the_scanned_one_is_read_anew(good_media: dict[str, Path]) -> None:
    path = str(good_media["mp4"])
    form, size = identify(path)
    found = scan(path, form, size, LIMITS)
    media = decord.decode(path, found, REQUEST, LIMITS)
    assert found.video is not None
    assert decord.agrees(media, found)
    shorter = replace(found.video, timestamps_F=found.video.timestamps_F[:-1])
    larger = replace(found.video, width=found.video.width + 2)
    for other in (shorter, larger):
        assert not decord.agrees(media, replace(found, video=other))


@pytest.mark.parametrize("name", ["mp4", "mkv", "mov", "flv", "webm", "fragmented", "rotated"])
def test_plain_films_still_go_to_decord(name: str, good_media: dict[str, Path]) -> None:
    assert read(str(good_media[name]), REQUEST, LIMITS).metadata.reader == "decord"
