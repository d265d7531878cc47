"""What a file is, from its first bytes: never from its name.

Only the families listed here are opened at all, each by the one demuxer named for it, so
that a playlist or a script dressed up as media never reaches a parser that would follow it.
"""

from dataclasses import dataclass

HEAD_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Format:
    """name: for people. demuxer: FFmpeg's name, or empty for a still that Pillow decodes."""

    name: str
    demuxer: str = ""
    pillow: str = ""


_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"mif1", b"hevm", b"hevs"}
_AVIF_BRANDS = {b"avif", b"avis"}
_MOV_ATOMS = {b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}

_PREFIXES: tuple[tuple[bytes, Format], ...] = (
    (b"\xff\xd8\xff", Format("jpeg", pillow="JPEG")),
    (b"\x89PNG\r\n\x1a\n", Format("png", pillow="PNG")),
    (b"GIF87a", Format("gif", pillow="GIF")),
    (b"GIF89a", Format("gif", pillow="GIF")),
    (b"II*\x00", Format("tiff", pillow="TIFF")),
    (b"MM\x00*", Format("tiff", pillow="TIFF")),
    (b"\x1aE\xdf\xa3", Format("matroska", "matroska")),
    (b"OggS", Format("ogg", "ogg")),
    (b"fLaC", Format("flac", "flac")),
    (b"\x00\x00\x01\xba", Format("mpeg-ps", "mpeg")),
    (b"\x00\x00\x01\xb3", Format("mpeg-video", "mpegvideo")),
    (b"FLV\x01", Format("flv", "flv")),
    (b"0&\xb2u\x8ef\xcf\x11", Format("asf", "asf")),
    (b".snd", Format("au", "au")),
    (b"caff", Format("caf", "caf")),
    (b"#!AMR", Format("amr", "amr")),
)

_VIDEO_CODEC_NAMES = (
    "av1 libdav1d cinepak dnxhd dvvideo ffv1 ffvhuff flv1 h261 h263 h264 hevc huffyuv mjpeg "
    "mpeg1video mpeg2video mpeg4 msmpeg4v1 msmpeg4v2 msmpeg4v3 png prores qtrle rawvideo svq1 "
    "svq3 theora utvideo vc1 vp6 vp6f vp8 vp9 wmv1 wmv2 wmv3"
)
_AUDIO_CODEC_NAMES = (
    "aac ac3 adpcm_ima_qt adpcm_ima_wav adpcm_ms adpcm_swf alac amr_nb amr_wb amrnb amrwb eac3 "
    "flac gsm gsm_ms mp1 mp2 mp3 nellymoser opus pcm_alaw pcm_f32be pcm_f32le pcm_f64le "
    "pcm_mulaw pcm_s16be pcm_s16le pcm_s24be pcm_s24le pcm_s32be pcm_s32le pcm_s8 pcm_u8 "
    "speex vorbis wavpack wmav1 wmav2 wmapro"
)
VIDEO_CODECS = frozenset(_VIDEO_CODEC_NAMES.split())
AUDIO_CODECS = frozenset(_AUDIO_CODEC_NAMES.split())


def sniff(head: bytes, past_id3: bytes = b"") -> Format | None:
    """The format of a file that starts with `head`; None when it is not on the allow-list.

    past_id3: the bytes behind an ID3 tag, when `id3_length(head)` is not 0.
    """
    if head[:3] == b"ID3":
        return sniff(past_id3) or Format("mp3", "mp3")
    for prefix, form in _PREFIXES:
        if head.startswith(prefix):
            return form
    if head[:4] in (b"RIFF", b"RF64"):
        return {
            b"WEBP": Format("webp", pillow="WEBP"),
            b"AVI ": Format("avi", "avi"),
            b"WAVE": Format("wav", "wav"),
        }.get(head[8:12])
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return Format("aiff", "aiff")
    if head[:2] == b"BM" and head[14:18] in (b"\x28\0\0\0", b"\x6c\0\0\0", b"\x7c\0\0\0"):
        return Format("bmp", pillow="BMP")
    if head[4:8] == b"ftyp":
        return _brand(head)
    if head[4:8] in _MOV_ATOMS:
        return Format("mov", "mov")
    return _sync_words(head)


def id3_length(head: bytes) -> int:
    """Bytes that an ID3v2 tag at the start takes up; 0 without one."""
    if head[:3] != b"ID3" or len(head) < 10:
        return 0
    size = 0
    for byte in head[6:10]:
        size = (size << 7) | (byte & 0x7F)
    return size + 10


def _brand(head: bytes) -> Format:
    size = int.from_bytes(head[:4], "big")
    brands = {head[8:12]} | {head[i : i + 4] for i in range(16, min(size, len(head) - 3), 4)}
    major = head[8:12]
    if major in _AVIF_BRANDS or (major in _HEIF_BRANDS and brands & _AVIF_BRANDS):
        return Format("avif", pillow="AVIF")
    if major in _HEIF_BRANDS or (major == b"msf1" and b"heic" in brands):
        return Format("heic", pillow="HEIF")
    return Format("mov", "mov")


def _sync_words(head: bytes) -> Format | None:
    """Formats that have no magic number but a repeating pattern."""
    for offset, stride in ((0, 188), (4, 192)):
        marks = [head[i : i + 1] for i in range(offset, len(head), stride)]
        if len(marks) >= 3 and all(mark == b"\x47" for mark in marks[:8]):
            return Format("mpeg-ts", "mpegts")
    if len(head) >= 4 and head[0] == 0xFF:
        if head[1] & 0xF6 == 0xF0:
            return Format("aac", "aac")
        is_audio_frame = head[1] & 0xE0 == 0xE0 and head[1] & 0x18 != 0x08 and head[1] & 0x06
        if is_audio_frame and head[2] & 0xF0 != 0xF0 and head[2] & 0x0C != 0x0C:
            return Format("mp3", "mp3")
    return None
