"""What every reader owes its caller, over every kind of file it takes."""

from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from encoders.base import MediaReader, ReadLimits, ReadRequest
from encoders.readers import read
from encoders.readers.decord import DecordReader
from encoders.readers.pillow import PillowReader
from encoders.readers.pyav import PyAVReader
from encoders.sampling import ByScene, Dense, Sampling, Uniform
from encoders.types import DecodedMedia, Modality, Span
from tests.media_factory import HEIGHT, RATE_HZ, SECONDS, WIDTH, ffmpeg, photograph

VIDEO = (
    *("mp4", "silent_mp4", "fast_start", "fragmented", "mkv", "mov", "ts", "flv", "avi", "mpg"),
    *("webm", "ten_bit", "upper_case", "no_suffix", "wrong_suffix", "three_seconds"),
)
SOUND = ("audio_only_mp4", "wav", "mp3", "flac", "ogg", "m4a")
STILLS = (
    *("jpg", "png", "webp", "avif", "heic", "turned", "gif", "deep_png", "clear_png"),
    "animated_gif",
)
CASES = [
    *((DecordReader(), name) for name in VIDEO),
    *((PyAVReader(), name) for name in (*VIDEO, *SOUND, "hidden_packets", "over_reported")),
    *((PillowReader(), name) for name in STILLS),
]
REQUEST = ReadRequest(Uniform())
LIMITS = ReadLimits()


def require_contract(media: DecodedMedia, request: ReadRequest, limits: ReadLimits) -> None:
    assert media.frames is not None or media.audio is not None
    if media.frames is not None:
        pixels, times = media.frames.pixels_FHWC, media.frames.timestamps_seconds_F
        assert len(pixels) <= request.sampling.frames_max
        assert max(pixels.shape[1:3]) <= limits.frame_side_max
        assert (times >= 0.0).all()
        assert times[-1] <= media.duration_seconds
    if media.audio is not None:
        waveform = media.audio.waveform_T
        assert media.audio.sample_rate_hz == request.sample_rate_hz
        assert waveform.dtype == np.float32
        assert np.abs(waveform).max() <= 1.0
        assert waveform.size <= request.audio_seconds_max * request.sample_rate_hz
    assert media.metadata.claimed
    assert media.metadata.observed
    assert all(len(text) <= 200 for text in media.metadata.tags.values())


@pytest.mark.parametrize(("reader", "name"), CASES, ids=lambda v: getattr(v, "name", v))
def test_good_files_decode(reader: MediaReader, name: str, good_media: dict[str, Path]) -> None:
    media = reader.read(str(good_media[name]), REQUEST, LIMITS)
    require_contract(media, REQUEST, LIMITS)
    assert media.metadata.reader == reader.name
    assert media.metadata.size_bytes == good_media[name].stat().st_size
    again = reader.read(str(good_media[name]), REQUEST, LIMITS)
    if media.frames is not None and again.frames is not None:
        assert np.array_equal(media.frames.pixels_FHWC, again.frames.pixels_FHWC)
    if media.audio is not None and again.audio is not None:
        assert np.array_equal(media.audio.waveform_T, again.audio.waveform_T)


@pytest.mark.parametrize("name", VIDEO)
def test_video_is_what_was_written(name: str, good_media: dict[str, Path]) -> None:
    media = read(str(good_media[name]), REQUEST, LIMITS)
    assert media.modality is Modality.VIDEO
    assert media.duration_seconds == pytest.approx(SECONDS, abs=0.1)
    assert media.frames is not None
    assert media.frames.pixels_FHWC.shape == (8, HEIGHT, WIDTH, 3)
    spacing = np.diff(media.frames.timestamps_seconds_F)
    assert spacing == pytest.approx(0.25, abs=1.1 / RATE_HZ)
    video = next(s for s in media.metadata.observed if s.kind == "video")
    assert video.frames == pytest.approx(SECONDS * RATE_HZ, abs=1)


@pytest.mark.parametrize("name", [*SOUND, "mp4", "webm"])
def test_sound_is_a_440_hz_tone(name: str, good_media: dict[str, Path]) -> None:
    media = read(str(good_media[name]), REQUEST, LIMITS)
    assert media.audio is not None
    assert media.audio.source_sample_rate_hz in (44_100, 48_000)
    assert media.audio.duration_seconds == pytest.approx(SECONDS, abs=0.1)
    spectrum = np.abs(np.fft.rfft(media.audio.waveform_T))
    peak_hz = np.argmax(spectrum) / media.audio.duration_seconds
    assert peak_hz == pytest.approx(440.0, abs=1.0)


@pytest.mark.parametrize("name", SOUND)
def test_sound_alone_is_audio(name: str, good_media: dict[str, Path]) -> None:
    media = read(str(good_media[name]), REQUEST, LIMITS)
    assert media.modality is Modality.AUDIO
    assert media.frames is None


@pytest.mark.parametrize("name", ["mp4", "rotated", "mov", "flv", "ten_bit", "webm", "mkv"])
def test_decord_and_pyav_agree(name: str, good_media: dict[str, Path]) -> None:
    first = DecordReader().read(str(good_media[name]), REQUEST, LIMITS)
    second = PyAVReader().read(str(good_media[name]), REQUEST, LIMITS)
    assert first.frames is not None
    assert second.frames is not None
    times = second.frames.timestamps_seconds_F
    assert first.frames.timestamps_seconds_F == pytest.approx(times, abs=1e-3)
    assert first.frames.pixels_FHWC.shape == second.frames.pixels_FHWC.shape
    apart = np.abs(first.frames.pixels_FHWC.astype(int) - second.frames.pixels_FHWC).mean()
    # Two versions of FFmpeg round ten-bit colours differently; another frame is 20 apart.
    assert apart < (4.0 if name == "ten_bit" else 0.01)
    if first.audio is not None and second.audio is not None:
        size = min(first.audio.waveform_T.size, second.audio.waveform_T.size)
        difference = first.audio.waveform_T[:size] - second.audio.waveform_T[:size]
        assert np.abs(difference).max() < 1e-3


@pytest.mark.parametrize(
    ("file", "codec"),
    [
        *((f"grey.{suffix}", "libx264") for suffix in ("mp4", "mkv", "mov", "flv", "ts", "avi")),
        *(("grey.mpg", "mpeg2video"), ("grey2.ts", "mpeg2video"), ("grey4.avi", "mpeg4")),
        ("grey.webm", "libvpx"),
    ],
)
def test_timestamps_are_those_of_the_pictures(file: str, codec: str, tmp_path: Path) -> None:
    """Frame i is grey level 4 i, so each picture tells which one it is: others are 4 off."""
    path = tmp_path / file
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        stream.gop_size = 7
        stream.codec_context.thread_count = 1
        if codec.startswith("mpeg"):
            stream.max_b_frames = 2
        for i in range(60):
            grey = np.full((64, 64, 3), 4 * i, dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
        container.mux(stream.encode(None))
    samplings = (Uniform(5), Uniform(60, 25.0), Dense(Span(1.0, 1.5), 25.0))
    for sampling in samplings:
        for media in (
            read(str(path), ReadRequest(sampling), LIMITS),
            PyAVReader().read(str(path), ReadRequest(sampling), LIMITS),
        ):
            assert media.frames is not None
            levels = media.frames.pixels_FHWC.mean(axis=(1, 2, 3)) / 4.0
            numbers = media.frames.timestamps_seconds_F * 25.0
            # AVI counts from the first slot, which may precede the first picture by one.
            assert levels == pytest.approx(numbers, abs=0.95)


@pytest.mark.parametrize("reader", [DecordReader(), PyAVReader()], ids=lambda r: r.name)
def test_scene_sampling_looks_at_each_scene(reader: MediaReader, tmp_path: Path) -> None:
    path = tmp_path / "scenes.mp4"
    colours = [f"color={c}:s=64x64:r=10:d={d}" for c, d in (("red", 5), ("green", 1), ("blue", 2))]
    inputs = [part for colour in colours for part in ("-f", "lavfi", "-i", colour)]
    join = ["-filter_complex", "concat=n=3:v=1", "-c:v", "libx264", "-pix_fmt", "yuv420p"]
    ffmpeg(*inputs, *join, str(path))
    frames = reader.read(str(path), ReadRequest(ByScene(frames_max=3)), LIMITS).frames
    assert frames is not None
    assert frames.pixels_FHWC.mean(axis=(1, 2)).argmax(axis=1).tolist() == [0, 1, 2]


@pytest.mark.parametrize("name", ["mp4", "jpg"])
def test_long_sides_are_reduced_and_the_source_size_kept(
    name: str, good_media: dict[str, Path]
) -> None:
    media = read(str(good_media[name]), REQUEST, ReadLimits(frame_side_max=80))
    assert media.frames is not None
    assert max(media.frames.pixels_FHWC.shape[1:3]) == 80
    assert media.frames.source_width in (WIDTH, 200)


def test_reduction_averages_areas(tmp_path: Path) -> None:
    path = tmp_path / "stripes.png"
    stripes = np.zeros((64, 64, 3), dtype=np.uint8)
    stripes[:, ::2] = 200
    Image.fromarray(stripes).save(path)
    media = read(str(path), REQUEST, ReadLimits(frame_side_max=32))
    assert media.frames is not None
    assert (media.frames.pixels_FHWC == 100).all()


def test_exif_turns_the_picture_upright(good_media: dict[str, Path]) -> None:
    media = read(str(good_media["turned"]), REQUEST, LIMITS)
    assert media.frames is not None
    upright = np.rot90(np.asarray(photograph()), -1).astype(int)
    assert np.abs(media.frames.pixels_FHWC[0] - upright).mean() < 12.0
    assert (media.frames.source_height, media.frames.source_width) == (200, 150)
    assert len(media.metadata.tags["ImageDescription"]) <= 200


def test_depth_and_transparency_survive(good_media: dict[str, Path]) -> None:
    deep = read(str(good_media["deep_png"]), REQUEST, LIMITS).frames
    clear = read(str(good_media["clear_png"]), REQUEST, LIMITS).frames
    assert deep is not None
    assert clear is not None
    ramp = deep.pixels_FHWC[0, 0, :, 0].astype(int)
    assert ramp.tolist() == [int(v) >> 8 for v in np.linspace(0, 65535, 64).astype(np.uint16)]
    assert (clear.pixels_FHWC == 255).all()


def test_animation_keeps_its_times(good_media: dict[str, Path]) -> None:
    media = read(str(good_media["animated_gif"]), REQUEST, LIMITS)
    assert media.modality is Modality.VIDEO
    assert media.duration_seconds == pytest.approx(1.2)
    assert media.frames is not None
    reds = media.frames.pixels_FHWC[:, 0, 0, 0] / 40.0
    assert reds == pytest.approx(media.frames.timestamps_seconds_F / 0.2, abs=0.2)


def test_late_sound_stays_on_the_clock(tmp_path: Path, good_media: dict[str, Path]) -> None:
    path = tmp_path / "late.mkv"
    clip = str(good_media["mp4"])
    late = ["-itsoffset", "0.5", "-i", clip, "-map", "0:v", "-map", "1:a", "-c", "copy"]
    ffmpeg("-i", clip, *late, str(path))
    for reader in (DecordReader(), PyAVReader()):
        audio = reader.read(str(path), REQUEST, LIMITS).audio
        assert audio is not None
        onset = int(np.argmax(np.abs(audio.waveform_T) > 0.02)) / audio.sample_rate_hz
        assert onset == pytest.approx(0.5, abs=0.06)


def test_digital_silence_at_the_ends_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "quiet_ends.wav"
    ffmpeg(
        "-f", "lavfi", "-i", "sine=440:r=16000:d=1", "-af", "adelay=500,apad=pad_dur=0.5", str(path)
    )
    audio = read(str(path), REQUEST, LIMITS).audio
    assert audio is not None
    assert audio.duration_seconds == pytest.approx(2.0, abs=0.01)
    assert not audio.waveform_T[:7000].any()
    assert not audio.waveform_T[-7000:].any()


def test_loud_stereo_is_not_clipped(tmp_path: Path) -> None:
    path = tmp_path / "loud.wav"
    source = "sine=440:r=16000:d=1,volume=17dB,aformat=channel_layouts=stereo"
    ffmpeg("-f", "lavfi", "-i", source, "-c:a", "pcm_f32le", str(path))
    audio = read(str(path), REQUEST, LIMITS).audio
    assert audio is not None
    assert 0.5 < np.abs(audio.waveform_T).max() < 1.0


def test_sound_stops_at_the_request(good_media: dict[str, Path]) -> None:
    for name in ("wav", "mp4"):
        audio = read(str(good_media[name]), ReadRequest(Uniform(), 0.5, 8_000), LIMITS).audio
        assert audio is not None
        assert audio.waveform_T.size == 4_000


@pytest.mark.parametrize("sampling", [Uniform(4), ByScene(4), Dense(Span(0.5, 1.0))])
def test_every_sampling_works_on_every_kind(
    sampling: Sampling, good_media: dict[str, Path]
) -> None:
    for name in ("mp4", "hidden_packets", "animated_gif", "jpg", "wav"):
        request = ReadRequest(sampling)
        require_contract(read(str(good_media[name]), request, LIMITS), request, LIMITS)
