"""PyAV: video, sound, and the fallback for whatever decord does not take."""

from collections.abc import Iterator, Sequence
from typing import Any

import av
import av.error
import numpy as np

from encoders.base import ReadLimits, ReadRequest
from encoders.errors import CorruptMedia
from encoders.readers.opening import guarded, identify
from encoders.readers.packets import AudioScan, VideoScan
from encoders.readers.report import media_from
from encoders.readers.scan import Scan, scan
from encoders.readers.selection import select
from encoders.readers.sound import assemble, downmix, judge_damage
from encoders.types import AudioSamples, ByteArray, DecodedMedia, FrameBatch

_ORDINAL_FRAMES_MAX = 20_000
_SEEK_FRAMES = 8
_SEEK_BACK_SECONDS = (0.0, 2.0, 10.0, float("inf"))
_HDR_TRANSFERS = {16: "PQ", 18: "HLG"}


class PyAVReader:
    """Decodes with FFmpeg through PyAV, one thread."""

    name = "pyav"

    def read(self, path: str, request: ReadRequest, limits: ReadLimits) -> DecodedMedia:
        """See `MediaReader.read`.

        Raises:
            MediaError: not audio-visual, damaged, or beyond `limits`.
        """
        form, size = identify(path)
        return decode(path, scan(path, form, size, limits), request, limits)


def decode(path: str, found: Scan, request: ReadRequest, limits: ReadLimits) -> DecodedMedia:
    """Decode a scanned file; shared with the sandbox child, which has scanned already.

    Raises:
        MediaError: the content is damaged or beyond `limits`.
    """
    notes: list[str] = []
    frames, count, seconds = None, None, None
    if found.video is not None:
        source = PyAVFrames(path, found, found.video, limits)
        frames = _select_shown(source, request, limits)
        count, seconds = len(source.timestamps_F), source.duration_seconds
        notes += source.notes()
    audio = None
    if found.audio is not None:
        audio, remark = read_sound(path, found, found.audio, request, limits)
        notes += [remark] if remark else []
    return media_from(
        found,
        reader=PyAVReader.name,
        frames=frames,
        audio=audio,
        frame_count=count,
        video_seconds=seconds,
        notes=tuple(notes),
    )


def _select_shown(source: "PyAVFrames", request: ReadRequest, limits: ReadLimits) -> FrameBatch:
    """Sample what there is: where packets at the end hold no picture, plan without them."""
    while True:
        try:
            return select(source, request.sampling, limits)
        except _EndOfPictures as end:
            shown = int(np.searchsorted(source.timestamps_F, end.seconds, side="right"))
            if not 0 < shown < len(source.timestamps_F):
                raise CorruptMedia(
                    "no picture of the video stream decodes",
                    expected="at least one frame",
                    remedy="Fetch the file again, or ask for the original.",
                ) from end
            source.shorten(shown)


class _EndOfPictures(Exception):
    """The decoder ran dry after the frame at `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class PyAVFrames:
    """A `FrameSource`: seeks where that saves decoding, otherwise reads on."""

    def __init__(self, path: str, found: Scan, video: VideoScan, limits: ReadLimits) -> None:
        self.timestamps_F = video.timestamps_F
        self.duration_seconds = max(0.0, float(video.timestamps_F[-1])) + video.frame_seconds
        self._path, self._found, self._video, self._limits = path, found, video, limits
        self._decoded = self._damaged = 0
        self._transfer: int | None = None

    def shorten(self, count: int) -> None:
        """Forget all frames but the first `count`."""
        self.timestamps_F = self.timestamps_F[:count]
        self.duration_seconds = float(self.timestamps_F[-1]) + self._video.frame_seconds

    def notes(self) -> list[str]:
        """What decoding showed.

        Raises:
            CorruptMedia: too many frames are damaged.
        """
        remarks = [judge_damage("frames", self._damaged, max(1, self._decoded))]
        if self._transfer in _HDR_TRANSFERS:
            name = _HDR_TRANSFERS[self._transfer]
            remarks.append(f"{name} high dynamic range was converted without tone mapping")
        return [remark for remark in remarks if remark]

    def fetch(self, indices: Sequence[int]) -> Iterator[ByteArray]:
        """See `FrameSource.fetch`."""
        if self._video.is_ordinal and len(self.timestamps_F) <= _ORDINAL_FRAMES_MAX:
            return self._fetch_by_order(indices)
        return self._fetch_by_time(indices)

    def _fetch_by_order(self, indices: Sequence[int]) -> Iterator[ByteArray]:
        wanted = set(indices)
        with guarded(self._path, self._found.format, self._limits) as container:
            number = -1
            for number, frame in enumerate(
                self._frames(container, container.streams[self._video.index])
            ):
                if number in wanted:
                    yield self._rgb(frame)
                if number >= indices[-1]:
                    return
            raise _EndOfPictures(float(self.timestamps_F[number]) if number >= 0 else -1.0)

    def _fetch_by_time(self, indices: Sequence[int]) -> Iterator[ByteArray]:
        with guarded(self._path, self._found.format, self._limits) as container:
            stream = container.streams[self._video.index]
            reading = self._frames(container, stream)
            current: Any = None
            reached = -1.0
            slack = min(0.5 * self._video.frame_seconds, 0.02)
            for index in indices:
                wanted = float(self.timestamps_F[index])
                # A seek flushes the decoder, so it must skip more than it costs.
                worth = reached + _SEEK_FRAMES * self._video.frame_seconds
                if self._keyframe_before(wanted) > worth:
                    for back_seconds in _SEEK_BACK_SECONDS:
                        key = self._keyframe_before(wanted - back_seconds)
                        self._seek(container, stream, key if key > reached else 0.0)
                        reading = self._frames(container, stream)
                        current = next(reading, None)
                        # Where the container has no index, a seek may land too late.
                        if current is not None and self._time(current) <= wanted + slack:
                            break
                while current is None or self._time(current) < wanted - slack:
                    following = next(reading, None)
                    if following is None:
                        raise _EndOfPictures(reached)
                    current = following
                    reached = max(reached, self._time(current))
                reached = max(reached, self._time(current))
                yield self._rgb(current)

    def _keyframe_before(self, wanted: float) -> float:
        keys = self._video.keyframe_seconds
        place = int(np.searchsorted(keys, wanted + 1e-6, side="right")) - 1
        return float(keys[place]) if place >= 0 else 0.0

    def _seek(self, container: Any, stream: Any, seconds: float) -> None:
        absolute = seconds + self._found.origin_seconds
        if seconds <= 0.0:  # before the first stamp, which may belong to another stream
            absolute -= 10.0
        try:
            container.seek(int(absolute / stream.time_base), stream=stream, backward=True)
        except av.error.FFmpegError:
            container.seek(0)

    def _frames(self, container: Any, stream: Any) -> Iterator[Any]:
        for packet in container.demux(stream):
            try:
                decoded = packet.decode()
            except MemoryError:
                raise  # PyAV's is an FFmpegError too, but says nothing of the file
            except av.error.FFmpegError:
                # A packet without a picture is only counted when it also held coded data.
                self._decoded += 1
                self._damaged += packet.size > _HEADER_ONLY_BYTES
                continue
            for frame in decoded:
                self._decoded += 1
                self._damaged += bool(frame.is_corrupt)
                yield frame

    def _time(self, frame: Any) -> float:
        stamp = frame.pts if frame.pts is not None else frame.dts
        if stamp is None:
            return float("inf")
        return float(stamp * frame.time_base) - self._found.origin_seconds

    def _rgb(self, frame: Any) -> ByteArray:
        self._transfer = frame.color_trc
        picture: ByteArray = frame.to_ndarray(format="rgb24")
        turns = round(frame.rotation / 90) % 4
        return np.rot90(picture, turns) if turns else picture


_HEADER_ONLY_BYTES = 16


def read_sound(
    path: str, found: Scan, audio: AudioScan, request: ReadRequest, limits: ReadLimits
) -> tuple[AudioSamples | None, str | None]:
    """The first `request.audio_seconds_max` of the sound stream, and a note on damage.

    Raises:
        CorruptMedia: too many packets do not decode.
    """
    seconds_max = min(request.audio_seconds_max, limits.duration_seconds_max)
    wanted = round(seconds_max * request.sample_rate_hz)
    pieces: list[np.ndarray[Any, Any]] = []
    have = packets = damaged = 0
    with guarded(path, found.format, limits) as container:
        stream = container.streams[audio.index]
        resampler = None
        for packet in container.demux(stream):
            packets += 1
            try:
                decoded = packet.decode()
            except MemoryError:
                raise
            except av.error.FFmpegError:
                damaged += 1
                continue
            for frame in decoded:
                if resampler is None:
                    resampler = av.AudioResampler(
                        format="fltp", layout=frame.layout, rate=request.sample_rate_hz
                    )
                try:
                    made = resampler.resample(frame)
                except (ValueError, av.error.FFmpegError):
                    damaged += 1  # the stream changed its rate or layout on the way
                    continue
                for out in made:
                    pieces.append(downmix(out.to_ndarray()))
                    have += pieces[-1].size
            if have >= wanted:
                break
        if resampler is not None and have < wanted:
            pieces += [downmix(out.to_ndarray()) for out in resampler.resample(None)]
    note = judge_damage("sound packets", damaged, packets)
    waveform = np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.float32)
    return assemble(waveform, audio, request.sample_rate_hz, seconds_max), note
