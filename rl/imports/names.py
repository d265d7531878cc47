"""What each layout is called on the command line. Nothing heavy is imported here."""

from enum import StrEnum


class LayoutName(StrEnum):
    """How a data set lies on disk; `AUTO` finds out."""

    AUTO = "auto"
    DEEPFAKEBENCH = "deepfakebench"
    FACEFORENSICS = "faceforensics"
    FAKEAVCELEB = "fakeavceleb"
    AV_DEEPFAKE1M = "av-deepfake1m"
    ASVSPOOF5 = "asvspoof5"
    ASVSPOOF2019 = "asvspoof2019"
    IN_THE_WILD = "in-the-wild"
    GENIMAGE = "genimage"
    CSV = "csv"
