"""Fingerprints of genuine media that survive a codec, a gain, a little noise: to find duplicates.

Pictures: PDQ (Meta, The TMK+PDQF video-hashing algorithm and the PDQ image-hashing algorithm,
2019). Sound: landmarks, pairs of spectral peaks (Wang, An industrial-strength audio search
algorithm, ISMIR 2003).
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import scipy.ndimage
import scipy.signal

from encoders.pdq import pdq_hash
from encoders.types import ByteArray, FloatArray

# PDQ's own advice: 31 of 256 bits.
PICTURE_BITS_MAX = 31
WINDOW, HOP = 512, 128
RATE_HZ = 8_000
PEAK_BINS, PEAK_FRAMES = 21, 15
PEAK_FLOOR_DB = 45.0
FAN_OUT = 4
REACH_FRAMES, REACH_BINS = 63, 63
# Landmarks that two recordings share at one offset. Of a million pairs by different speakers no
# two shared more than 11; copies of a second and a half or more, through MP3 or Opus at 12 to 16
# kbit/s or under noise at 20 dB, shared 15 or more, and most above 40.
SHARED_LANDMARKS_MIN = 15
# A hash that so many utterances have says nothing.
COMMON_HASH = 100


def picture_prints(image_HWC: ByteArray) -> tuple[str, ...]:
    """PDQ hashes of a picture and of its mirror image, hexadecimal; () where it is too plain."""
    prints = [pdq_hash(view) for view in (image_HWC, image_HWC[:, ::-1])]
    found = tuple(one for one in prints if one is not None)
    return found if len(found) == len(prints) else ()


def _peaks(waveform_T: FloatArray) -> npt.NDArray[np.int64]:
    """(frame, bin) of the spectrogram's local maxima, in order of time; int64 (P, 2)."""
    padded = np.pad(waveform_T, (0, max(0, WINDOW - waveform_T.size)))
    spectrum = scipy.signal.stft(
        padded, RATE_HZ, nperseg=WINDOW, noverlap=WINDOW - HOP, boundary=None, padded=False
    )[2]
    level_db = 20.0 * np.log10(np.abs(spectrum).T + 1e-9)
    highest = scipy.ndimage.maximum_filter(level_db, (PEAK_FRAMES, PEAK_BINS))
    is_peak = (level_db == highest) & (level_db > level_db.max() - PEAK_FLOOR_DB)
    return np.argwhere(is_peak)


def landmarks(waveform_T: FloatArray) -> tuple[tuple[int, int], ...]:
    """(hash, frame) of pairs of peaks; a hash holds both bins and the frames between.

    waveform_T: float32 mono at 8 kHz. A frame is 16 ms.
    """
    peaks = _peaks(waveform_T)
    found: list[tuple[int, int]] = []
    for i, (frame, low) in enumerate(peaks):
        taken = 0
        for later, other in peaks[i + 1 :]:
            if later - frame > REACH_FRAMES or taken == FAN_OUT:
                break
            if later > frame and abs(int(other) - int(low)) <= REACH_BINS:
                found.append((int(low) << 15 | int(other) << 6 | int(later - frame), int(frame)))
                taken += 1
    return tuple(found)


def near_pictures(prints: Mapping[str, Sequence[str]]) -> list[tuple[str, str, int]]:
    """(name, name, bits) of pictures that differ in at most 31 bits, mirrored or not.

    prints: of `picture_prints` by name, or several pictures' one after another.
    """
    names = [name for name, hashes in prints.items() for _ in hashes]
    if not names:
        return []
    packed = np.array(
        [list(bytes.fromhex(text)) for hashes in prints.values() for text in hashes], np.uint8
    )
    bits_NB = np.unpackbits(packed, axis=1).astype(np.float32)
    ones_N = bits_NB.sum(axis=1)
    nearest: dict[tuple[str, str], int] = {}
    for start in range(0, len(names), 2048):
        block = bits_NB[start : start + 2048]
        distance = ones_N[start : start + 2048, None] + ones_N - 2.0 * (block @ bits_NB.T)
        for row, column in np.argwhere(distance <= PICTURE_BITS_MAX):
            pair = (names[start + row], names[column])
            if pair[0] < pair[1]:
                nearest[pair] = min(nearest.get(pair, 256), int(distance[row, column]))
    return [(left, right, bits) for (left, right), bits in sorted(nearest.items())]


def near_sounds(
    prints: Mapping[str, Sequence[tuple[int, int]]], groups: Mapping[str, str]
) -> list[tuple[str, str, int]]:
    """(name, name, landmarks shared at one offset) of recordings in two groups, fifteen or more.

    prints: of `landmarks` by name. groups: of each name; within a group nothing is compared.
    """
    places: dict[int, list[tuple[str, int]]] = defaultdict(list)
    for name, marks in prints.items():
        for value, frame in marks:
            places[value].append((name, frame))
    hits: Counter[tuple[str, str, int]] = Counter()
    for found in places.values():
        if not 1 < len(found) <= COMMON_HASH:
            continue
        for i, (left, frame) in enumerate(found):
            for right, other in found[i + 1 :]:
                if groups[left] != groups[right]:
                    first, second = sorted(((left, frame), (right, other)))
                    hits[first[0], second[0], first[1] - second[1]] += 1
    shared: dict[tuple[str, str], int] = {}
    for (left, right, offset), count in hits.items():
        # A frame's rounding may put one recording between two offsets.
        total = count + hits.get((left, right, offset + 1), 0)
        shared[left, right] = max(shared.get((left, right), 0), total)
    return [
        (left, right, count)
        for (left, right), count in sorted(shared.items())
        if count >= SHARED_LANDMARKS_MIN
    ]
