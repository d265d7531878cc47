"""What FaceForensics++ calls its videos and methods, in its own folders and in DeepfakeBench.

`000.mp4` is an original; `000_003.mp4` is video 000 with the face or the expression of 003
(github.com/ondyari/FaceForensics, dataset/README.md). The actors' videos, added as
DeepFakeDetection, are `01__scene.mp4` and `01_02__scene__ID.mp4`: actor 01 with the face of 02.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

TITLE = "FaceForensics++"
SWAPPED, REENACTED = "swapped face", "re-enacted face"
# Method -> what is seen.
METHODS = {
    "Deepfakes": SWAPPED,
    "Face2Face": REENACTED,
    "FaceSwap": SWAPPED,
    "NeuralTextures": REENACTED,
    "FaceShifter": SWAPPED,
    "DeepFakeDetection": SWAPPED,
}
LICENCE = "FaceForensics++: its terms of use, research only"
_VIDEO = re.compile(r"(?P<target>\d{3})(_(?P<donor>\d{3}))?")
_ACTOR = re.compile(r"(?P<actor>\d{2})(_\d{2})?__(?P<scene>.+?)(__[A-Z0-9]{8})?")


@dataclass(frozen=True, slots=True)
class VideoName:
    """identities: the originals in it, the manipulated one first. original: its name."""

    identities: tuple[str, ...]
    original: str

    def source(self, joined: Mapping[str, str]) -> str:
        """The identity for splitting; `joined`: each identity's smallest companion."""
        first = self.identities[0]
        return f"{TITLE}/{joined.get(first, first)}"


def parse(stem: str) -> VideoName | None:
    """A video's name without its suffix; None where it is none of the set's.

    An actor's video has that actor alone as its identity: all 28 meet each other somewhere.
    """
    if video := _VIDEO.fullmatch(stem):
        names = (video["target"], video["donor"]) if video["donor"] else (video["target"],)
        return VideoName(names, video["target"])
    if actor := _ACTOR.fullmatch(stem):
        return VideoName((f"actor {actor['actor']}",), f"{actor['actor']}__{actor['scene']}")
    return None
