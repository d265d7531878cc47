"""Items with real materials: real media, measured by the real encoder, and a judge's words."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from shutil import copyfile

from encoders.base import ReadRequest
from encoders.forensic.encoder import ForensicEncoder
from encoders.sampling import Uniform
from encoders.sandbox import Sandbox
from encoders.types import MediaFeatures, Modality, Span, Transcript, TranscriptSegment
from moderation.casework.running import work_off
from moderation.casework.scoring import ScoringDesk
from moderation.casework.showing import materials_of, setup_of
from moderation.database import writing
from moderation.intake.results import keep_result
from moderation.intake.types import Item
from moderation.judge.timeline import windows
from moderation.materials.making import make_materials
from moderation.materials.store import MadeMaterials, MaterialLimits
from moderation.types import (
    Claim,
    Examination,
    ItemResult,
    Judgment,
    Mode,
    Rationale,
    ScoredSpan,
    Strength,
)
from tests.contract.casework.scripted import send

SAMPLES = Path(__file__).parents[1] / "docs" / "samples"
FILM, VOICE, PHOTO = "video-manipulated.mp4", "voice-manipulated.wav", "photo-manipulated.jpg"
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'"
SCORE = 3.17
"""What the judge says of every stretch, so that a test can look for it."""


def claims(modality: Modality, seconds: float) -> tuple[Claim, ...]:
    """One that signals can bear out, one of a clean stretch, one that is markup."""
    whole = Span(0.0, seconds)
    if modality is Modality.IMAGE:
        return (
            Claim(modality, whole, "spliced region", Strength.STRONG),
            Claim(modality, whole, HOSTILE, Strength.WEAK),
        )
    sound = Modality.AUDIO
    return (
        Claim(sound, Span(1.0, 3.0), "resynthesised voice", Strength.CLEAR),
        Claim(sound, Span(0.0, 0.5), "natural voice", Strength.CLEAN),
        Claim(modality, Span(2.5, 3.2), HOSTILE, Strength.WEAK),
    )


@cache
def examination(sample: str) -> Examination:
    """Of a file in docs/samples."""
    with Sandbox() as sandbox:
        media = sandbox.read(SAMPLES / sample, ReadRequest(Uniform()))
    [encoding] = ForensicEncoder().encode([media])
    seconds, kind = media.duration_seconds, media.modality
    transcript = Transcript(
        (
            TranscriptSegment(Span(0.0, 1.5), "And so, my fellow citizens"),
            TranscriptSegment(Span(1.5, 3.5), HOSTILE),
        )
    )
    features = MediaFeatures(
        media.metadata,
        kind,
        seconds,
        (),
        encoding.signals,
        None if media.audio is None else transcript,
    )
    spike = tuple(float(k == 3) for k in range(10))
    rationale = Rationale(f"{HOSTILE}\nScore: {SCORE}", claims(kind, seconds), True)
    judgment = Judgment(spike, 1.0, SCORE, Mode.FULL, "scripted-1", rationale)
    return Examination(
        sample,
        media,
        features,
        judgment,
        timeline=tuple(
            ScoredSpan(one, SCORE + 4 * (one.start_seconds < 1.0))
            for one in windows(seconds, 1.0, 0.5)
        ),
    )


@cache
def made(sample: str) -> MadeMaterials:
    """What is shown of it."""
    return make_materials(examination(sample), MaterialLimits())


def send_sample(
    desk: ScoringDesk,
    sample: str,
    *,
    name: str,
    with_materials: bool = True,
    reported_clause: str | None = None,
) -> Item:
    """An item that waits for a person, whose media are those of a sample."""
    found = examination(sample)
    item = send(
        desk,
        f"3 {found.media.modality} {name}",
        uploader="sue",
        declared_name=name,
        reported_clause=reported_clause,
    )
    work_off(desk)
    copyfile(SAMPLES / sample, desk.blobs.path(item.sha256))
    explain(desk, item, found)
    if with_materials:
        show(desk, item, made(sample))
    return item


def explain(desk: ScoringDesk, item: Item, found: Examination) -> None:
    """Keep the judge's words as an explanation would."""
    context = desk.deployment.context(Mode.FULL)
    result = ItemResult(
        item.sha256, item.sha256, found.media.modality, found.media.duration_seconds,
        found.judgment, None, unusual_signals=unusual(found),
    )  # fmt: skip
    with writing(desk.engine) as connection:
        keep_result(connection, item.sha256, result, context, now=desk.clock())


def show(desk: ScoringDesk, item: Item, what: MadeMaterials) -> None:
    """Put materials where the program looks for them."""
    store = materials_of(desk.blobs)
    store.write(item.sha256, setup_of(desk.deployment), what, bytes_max=2**24)


def unusual(found: Examination) -> Sequence[str]:
    """Names of what lies outside its range."""
    return tuple(one.name for one in found.features.signals if one.is_unusual)


def with_facts(what: MadeMaterials, **changes: object) -> MadeMaterials:
    """The same with other facts."""
    return replace(what, facts={**what.facts, **changes})
