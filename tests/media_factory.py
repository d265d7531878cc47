"""Small real media files, good and broken, written with FFmpeg, Pillow and a few patched bytes."""

import io
import os
import random
import struct
import subprocess
import zipfile
from pathlib import Path

import av
import numpy as np
import pillow_heif
from PIL import Image

from encoders.errors import (
    CorruptMedia,
    EmptyFile,
    LimitExceeded,
    NoUsableMedia,
    TypedError,
    UnreadableFile,
    UnsupportedMedia,
)
from tests.media_patches import claiming_seconds, flip, media_data, png_of_zeros, with_picture_size

SECONDS = 2
WIDTH, HEIGHT, RATE_HZ = 160, 120, 25
_PICTURE = f"testsrc2=s={WIDTH}x{HEIGHT}:r={RATE_HZ}:d={SECONDS}"
_TONE = f"sine=440:r=44100:d={SECONDS}"
_H264 = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "10", "-pix_fmt", "yuv420p"]
_BOTH = ["-f", "lavfi", "-i", _PICTURE, "-f", "lavfi", "-i", _TONE]
_SOUND = ["-f", "lavfi", "-i", _TONE]

Broken = dict[str, tuple[Path, type[TypedError] | tuple[type[TypedError], ...]]]


def ffmpeg(*arguments: str) -> None:
    """Run FFmpeg on one thread, bit-exact, quietly."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y", *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def write_good(folder: Path) -> dict[str, Path]:
    """Files that must be read, by a short name of what they are."""
    folder.mkdir(parents=True, exist_ok=True)
    made: dict[str, Path] = {}

    def add(name: str, file: str, *arguments: str) -> None:
        made[name] = folder / file
        ffmpeg(*arguments, str(made[name]))

    add("mp4", "clip.mp4", *_BOTH, *_H264, "-c:a", "aac", "-threads", "1")
    clip = str(made["mp4"])
    add("silent_mp4", "silent.mp4", "-i", clip, "-an", "-c", "copy")
    add("audio_only_mp4", "voice.mp4", "-i", clip, "-vn", "-c", "copy")
    add("fast_start", "fast.mp4", "-i", clip, "-c", "copy", "-movflags", "+faststart")
    add("fragmented", "fragments.mp4", "-i", clip, "-c", "copy", "-movflags", "frag_keyframe")
    add("rotated", "rotated.mp4", "-i", clip, "-c", "copy", "-metadata:s:v:0", "rotate=90")
    for suffix in ("mkv", "mov", "ts", "flv"):
        add(suffix, f"clip.{suffix}", "-i", clip, "-c", "copy")
    add("avi", "clip.avi", *_BOTH, "-c:v", "mpeg4", "-c:a", "mp3", "-threads", "1")
    add("mpg", "clip.mpg", *_BOTH, "-c:v", "mpeg2video", "-c:a", "mp2", "-threads", "1")
    webm = ["-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus"]
    add("webm", "clip.webm", *_BOTH, *webm, "-threads", "1")
    ten = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv422p10le"]
    add("ten_bit", "ten.mp4", "-f", "lavfi", "-i", _PICTURE, *ten)
    for suffix, codec in (
        ("wav", "pcm_s16le"),
        ("mp3", "libmp3lame"),
        ("flac", "flac"),
        ("ogg", "libvorbis"),
        ("m4a", "aac"),
    ):
        add(suffix, f"tone.{suffix}", *_SOUND, "-c:a", codec)
    for name, file in (("upper_case", "CLIP.MP4"), ("no_suffix", "clip")):
        made[name] = folder / file
        made[name].write_bytes(made["mp4"].read_bytes())
    made["wrong_suffix"] = folder / "really_a_clip.jpg"
    made["wrong_suffix"].write_bytes(made["mp4"].read_bytes())
    odd = os.fsencode(folder) + b"/caf\xe9 \xff.mp4"
    made["not_utf8"] = Path(os.fsdecode(odd))
    made["not_utf8"].write_bytes(made["mp4"].read_bytes())
    made["hidden_packets"] = write_cut_clip(folder / "cut.mp4")
    made["over_reported"] = write_over_reported(folder / "over_reported.mp4", made["silent_mp4"])
    made["three_seconds"] = folder / "three_seconds.mp4"
    made["three_seconds"].write_bytes(claiming_seconds(made["mp4"].read_bytes(), 3))
    made.update(_write_stills(folder))
    return made


def photograph(width: int = 200, height: int = 150) -> Image.Image:
    """A picture with edges, gradients and noise, the same on every call."""
    y, x = np.mgrid[0:height, 0:width]
    noise = np.random.default_rng(0).integers(0, 40, (height, width, 3))
    base = np.stack([x * 200 // width, y * 200 // height, (x + y) % 200], axis=-1)
    return Image.fromarray((base + noise).astype(np.uint8))


def _write_stills(folder: Path) -> dict[str, Path]:
    image = photograph()
    made = {name: folder / f"still.{name}" for name in ("jpg", "png", "webp", "avif")}
    for path in made.values():
        image.save(path)
    made["heic"] = folder / "still.heic"
    pillow_heif.from_pillow(image).save(made["heic"])
    made["turned"] = folder / "turned.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "described " * 200
    image.save(made["turned"], exif=exif)
    made["gif"] = folder / "still.gif"
    image.save(made["gif"])
    made["animated_gif"] = folder / "moving.gif"
    frames = [Image.new("RGB", (64, 48), (40 * i, 0, 0)) for i in range(6)]
    frames[0].save(
        made["animated_gif"], save_all=True, append_images=frames[1:], duration=200, loop=0
    )
    made["deep_png"] = folder / "deep.png"
    ramp = np.tile(np.linspace(0, 65535, 64).astype(np.uint16), (32, 1))
    Image.fromarray(ramp).save(made["deep_png"])
    made["clear_png"] = folder / "clear.png"
    Image.new("RGBA", (32, 32), (255, 0, 0, 0)).save(made["clear_png"])
    return made


def write_cut_clip(path: Path) -> Path:
    """A clip cut from a long group of pictures without encoding it again.

    Its edit list hides the packets before the cut; decord 0.6.0 counts them as frames, and
    waits for ever for those that never come.
    """
    source = path.with_name("uncut.mp4")
    picture = f"testsrc2=s={WIDTH}x{HEIGHT}:r=30:d=15"
    encode = ["-c:v", "libx264", "-preset", "veryfast", "-g", "1000", "-pix_fmt", "yuv420p"]
    ffmpeg("-f", "lavfi", "-i", picture, *encode, str(source))
    ffmpeg("-ss", "4.37", "-i", str(source), "-t", "10", "-c", "copy", str(path))
    source.unlink()
    return path


def write_over_reported(path: Path, source: Path) -> Path:
    """`source` followed by 60 packets that hold no picture: more frames claimed than there are."""
    with av.open(str(source)) as reading, av.open(str(path), "w", format="mp4") as writing:
        stream = reading.streams.video[0]
        copy = writing.add_stream_from_template(stream)
        last, step, base = 0, 1, stream.time_base
        for packet in reading.demux(stream):
            if packet.dts is not None:
                last, step = packet.dts, packet.duration
                packet.stream = copy
                writing.mux(packet)
        for number in range(1, 61):
            # An access unit delimiter and nothing else (H.264, 7.3.2.4), length in front.
            packet = av.Packet(b"\x00\x00\x00\x02\x09\xf0")
            packet.stream, packet.time_base, packet.duration = copy, base, step
            packet.dts = packet.pts = last + number * step
            writing.mux(packet)
    return path


def write_broken(folder: Path) -> Broken:
    """Files that must be refused, each with the error that says why."""
    folder.mkdir(parents=True, exist_ok=True)
    good = write_good(folder / "sources")
    clip, fast = good["mp4"].read_bytes(), good["fast_start"].read_bytes()
    made: Broken = {}

    def add(
        name: str, content: bytes, error: type[TypedError] | tuple[type[TypedError], ...]
    ) -> None:
        path = folder / name
        path.write_bytes(content)
        made[name] = (path, error)

    add("truncated_index_at_end.mp4", clip[: len(clip) // 2], CorruptMedia)
    add("truncated_index_at_front.mp4", fast[: len(fast) // 2], CorruptMedia)
    add("truncated.avi", good["avi"].read_bytes()[:20_000], CorruptMedia)
    add("truncated.mkv", _half(good["mkv"]), CorruptMedia)
    add("truncated.jpg", _half(good["jpg"]), CorruptMedia)
    add("truncated.png", _half(good["png"]), CorruptMedia)
    add("truncated.heic", _half(good["heic"]), CorruptMedia)
    add("truncated.wav", _half(good["wav"]), CorruptMedia)
    add("ten_hours.mp4", claiming_seconds(clip, 36_000), CorruptMedia)
    add("empty.mp4", b"", EmptyFile)
    add("text.mp4", b"This is a letter, not a film.\n" * 50, UnsupportedMedia)
    add("playlist.mp4", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n", UnsupportedMedia)
    add("archive.mp4", _archive(), UnsupportedMedia)
    add("random_behind_ftyp.mp4", _random_behind_ftyp(), CorruptMedia)
    add("flipped_video.mp4", flip(clip, 1500, media_data(clip)), CorruptMedia)
    sound = good["m4a"].read_bytes()
    add("flipped_audio.m4a", flip(sound, 300, media_data(sound)), CorruptMedia)
    tune = good["flac"].read_bytes()
    add("flipped_audio.flac", flip(tune, 300, (8192, len(tune))), CorruptMedia)
    photo = good["jpg"].read_bytes()
    add("flipped.jpg", flip(photo, 200, (20, 600)), CorruptMedia)
    add("huge_sps.mp4", with_picture_size(good["silent_mp4"].read_bytes(), 1000), LimitExceeded)
    add("image_bomb.png", png_of_zeros(20_000, 20_000), LimitExceeded)
    add("image_bomb_header.png", png_of_zeros(2_000_000_000, 2_000_000_000, rows=1), LimitExceeded)
    add("corrupt.gif", good["animated_gif"].read_bytes()[:200], CorruptMedia)
    add("lying_sizes.wav", _lying_wav(good["wav"].read_bytes()), CorruptMedia)
    silence = io.BytesIO()
    add("digital_silence.wav", _silent_wav(silence), NoUsableMedia)
    made.update(_unreadable(folder))
    return made


def _half(path: Path) -> bytes:
    content = path.read_bytes()
    return content[: len(content) // 2]


def _unreadable(folder: Path) -> Broken:
    loop, dangling, pipe = folder / "loop.mp4", folder / "dangling.mp4", folder / "pipe.mp4"
    for path in (loop, dangling, pipe):
        path.unlink(missing_ok=True)
    loop.symlink_to(loop.name)
    dangling.symlink_to("nowhere.mp4")
    os.mkfifo(pipe)
    directory = folder / "directory.mp4"
    directory.mkdir(exist_ok=True)
    return {p.name: (p, UnreadableFile) for p in (loop, dangling, pipe, directory)}


def _archive() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("film.txt", "not a film")
    return target.getvalue()


def _random_behind_ftyp() -> bytes:
    return b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + random.Random(3).randbytes(50_000)


def _lying_wav(content: bytes) -> bytes:
    """A WAV whose data chunk claims a hundred times what there is."""
    at = content.index(b"data") + 4
    claim = 100 * int.from_bytes(content[at : at + 4], "little")
    return content[:at] + struct.pack("<I", claim) + content[at + 4 :]


def _silent_wav(target: io.BytesIO) -> bytes:
    data = bytes(2 * 16_000)
    header = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        36 + len(data),
        b"WAVE",
        b"fmt ",
        16,
        1,
        1,
        16_000,
        32_000,
        2,
        16,
        b"data",
        len(data),
    )
    target.write(header + data)
    return target.getvalue()
