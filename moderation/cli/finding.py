"""One line of the doctor's report."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """`LIMITED` works with less; `MISSING` keeps files from being scored."""

    OK = "ok"
    LIMITED = "limited"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's report; `remedy` is empty where all is well."""

    name: str
    verdict: Verdict
    detail: str
    remedy: str = ""
