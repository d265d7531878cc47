"""decord: video and its sound. It can hang in native code: run it in the sandbox only."""

from collections.abc import Iterator, Sequence

import decord
import numpy as np
from decord.base import DECORDError

from encoders.base import ReadLimits, ReadRequest
from encoders.errors import CorruptMedia, UnsupportedMedia
from encoders.readers.opening import describe, identify
from encoders.readers.packets import AudioScan, VideoScan
from encoders.readers.pyav import read_sound
from encoders.readers.report import media_from
from encoders.readers.scan import Scan, scan
from encoders.readers.selection import select
from encoders.readers.sound import assemble, downmix, resample
from encoders.types import AudioSamples, ByteArray, DecodedMedia

_BATCH_BYTES = 96 * 2**20
_WHOLE_SOUND_SECONDS_MAX = 300.0
_SOUND_SHARE_MIN = 0.98
# In AVI, MPEG-TS and MPEG-PS decord's pictures were up to 50 of 60 frames from the right one.
_EXACT_DEMUXERS = ("mov", "matroska", "flv")


class DecordReader:
    """Decodes with decord 0.6.0, one thread."""

    name = "decord"

    def read(self, path: str, request: ReadRequest, limits: ReadLimits) -> DecodedMedia:
        """See `MediaReader.read`.

        Raises:
            MediaError: no video, damaged, or beyond `limits`.
        """
        form, size = identify(path)
        return decode(path, scan(path, form, size, limits), request, limits)


def why_not(found: Scan) -> str | None:
    """A reason not to ask decord for this file, or None.

    decord numbers packets, not pictures: where the container hides packets (the edit list of
    a clip cut without re-encoding) it counts too many and then waits for ever for the rest.
    Without exact times in the container it hands out other pictures than those asked for. Among
    several streams it chooses by itself, whatever their codecs. It also conceals damage, which
    PyAV reports.
    """
    video = found.video
    if video is None:
        return "there is no video stream"
    if found.format.demuxer not in _EXACT_DEMUXERS:
        return f"{found.format.name} has no exact index"
    if found.other_streams:
        return f"there are further streams ({', '.join(found.other_streams[:3])})"
    if video.is_partial:
        return "the file is longer than what is read"
    if video.discarded:
        return f"the container hides {video.discarded} packets"
    if video.damaged:
        return f"{video.damaged} of {video.checked} key pictures are damaged"
    if len(np.unique(video.timestamps_F)) != len(video.timestamps_F):
        return "packets share timestamps"
    return None


def agrees(media: DecodedMedia, found: Scan) -> bool:
    """Whether decord showed the film that was scanned.

    It finds out the container by itself, from all that it knows: a file made to be two things
    at once is another film to it.
    """
    if found.video is None or media.frames is None:
        return False
    seen = next(stream for stream in media.metadata.observed if stream.kind == "video")
    sides = {media.frames.source_width, media.frames.source_height}
    is_as_large = sides == {found.video.width, found.video.height}
    return is_as_large and seen.frames == len(found.video.timestamps_F)


def decode(path: str, found: Scan, request: ReadRequest, limits: ReadLimits) -> DecodedMedia:
    """Decode a scanned file.

    Raises:
        MediaError: no video, or decord refuses the content.
    """
    if found.video is None:
        raise UnsupportedMedia(
            f"a {found.format.name} file without video",
            expected="a video stream for decord",
            remedy="Read it with PyAV.",
        )
    try:
        source = DecordFrames(path, found.video)
        frames = select(source, request.sampling, limits)
    except (DECORDError, RuntimeError, AssertionError) as error:
        raise CorruptMedia(
            f"decord cannot decode the video ({describe(error)})",
            expected="intact pictures",
            remedy="Fetch the file again, or ask for the original.",
        ) from error
    notes: list[str] = []
    audio = None
    if found.audio is not None:
        seconds_max = min(request.audio_seconds_max, limits.duration_seconds_max)
        audio = _sound(path, found.audio, request, seconds_max)
        if audio is None:
            # decord drops what it cannot decode without a word: ask the reader that reports.
            audio, remark = read_sound(path, found, found.audio, request, limits)
            notes += [remark] if remark else []
    return media_from(
        found,
        reader=DecordReader.name,
        frames=frames,
        audio=audio,
        frame_count=len(source.timestamps_F),
        video_seconds=source.duration_seconds,
        notes=tuple(notes),
    )


class DecordFrames:
    """A `FrameSource` over `decord.VideoReader`."""

    def __init__(self, path: str, video: VideoScan) -> None:
        self._reader = decord.VideoReader(path, ctx=decord.cpu(0), num_threads=1)
        count = len(self._reader)
        if count == len(video.timestamps_F):
            self.timestamps_F = video.timestamps_F
        else:
            self.timestamps_F = np.asarray(
                self._reader.get_frame_timestamp(range(count))[:, 0], dtype=np.float64
            )
        self.duration_seconds = max(0.0, float(self.timestamps_F[-1])) + video.frame_seconds
        self._batch = max(1, _BATCH_BYTES // (video.width * video.height * 3))

    def fetch(self, indices: Sequence[int]) -> Iterator[ByteArray]:
        """See `FrameSource.fetch`. Batches bound the memory of full-size pictures."""
        for start in range(0, len(indices), self._batch):
            yield from self._reader.get_batch(list(indices[start : start + self._batch])).asnumpy()


def _sound(
    path: str, found: AudioScan, request: ReadRequest, seconds_max: float
) -> AudioSamples | None:
    """decord's sound, or None where it is incomplete or would be decoded mostly for nothing."""
    if found.codec == "opus":
        return None  # the samples that Opus says to skip are left in, 6.5 ms of them
    if found.packet_seconds > max(_WHOLE_SOUND_SECONDS_MAX, seconds_max):
        return None
    try:
        # At its own rate: decord's resampler delays the sound by a millisecond and drops the end.
        reader = decord.AudioReader(path, sample_rate=found.sample_rate_hz, mono=False)
        waveform = downmix(reader[:].asnumpy())
    except (DECORDError, RuntimeError, ValueError, IndexError):
        return None
    if waveform.size < _SOUND_SHARE_MIN * found.packet_seconds * found.sample_rate_hz:
        return None
    waveform = resample(waveform, found.sample_rate_hz, request.sample_rate_hz)
    return assemble(waveform, found, request.sample_rate_hz, seconds_max)
