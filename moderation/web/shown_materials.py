"""What was made of an item, as the console shows it: read, checked, or asked for."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from moderation.casework.showing import ask_for_materials, materials_of, setup_of
from moderation.database import writing
from moderation.intake.types import Item
from moderation.materials.store import MaterialsDamaged
from moderation.route_services import RouteServices
from moderation.web.shown_claims import shown_claims
from moderation.web.signal_scale import ScaledSignal, scaled
from moderation.web.timeline import Timeline, build_timeline, marked_seconds

Facts = Mapping[str, Any]


class State(StrEnum):
    """READY: they are there. WAITING: they are being made. NONE: there will be none."""

    READY = "ready"
    WAITING = "waiting"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame and its heat maps: signal -> file and peak."""

    seconds: float
    picture: str
    width: int
    height: int
    maps: Mapping[str, Mapping[str, Any]]

    def peak(self, signal: str | None) -> float:
        """The most heat of a signal, [0, 1]; 0 without a map of it."""
        return float(self.maps[signal]["peak"]) if signal and signal in self.maps else 0.0


@dataclass(frozen=True, slots=True)
class ShownMaterials:
    """Everything but READY has nothing else. maps: the signals that any frame has a map of.

    first, chosen: the frame and the map that are shown first. claims: with their standing; empty
    where the judge's view is not shown. steps: times to step through.
    """

    state: State
    timeline: Timeline | None = None
    frames: Sequence[Frame] = ()
    first: Frame | None = None
    maps: Sequence[str] = ()
    chosen: str | None = None
    sound: Facts | None = None
    claims: Sequence[Facts] = ()
    unusual: Sequence[ScaledSignal] = ()
    usual: Sequence[ScaledSignal] = ()
    transcript: Sequence[Facts] | None = None
    steps: Sequence[float] = field(default=())


def facts_of(parts: RouteServices, item: Item) -> tuple[State, Facts | None]:
    """What there is; what is missing or damaged is asked for."""
    try:
        facts = materials_of(parts.blobs).facts(item.sha256, setup_of(parts.deployment()))
    except MaterialsDamaged:
        facts = None
    if facts is not None:
        return State.READY, facts
    return (State.WAITING if ask(parts, item) else State.NONE), None


def ask(parts: RouteServices, item: Item) -> bool:
    """Have an item's materials made; whether they will be."""
    with writing(parts.engine) as connection:
        is_asked = ask_for_materials(connection, item, now=parts.clock())
    if is_asked:
        parts.ring(item.sha256)
    return is_asked


def shown(
    parts: RouteServices, item: Item, state: State, facts: Facts | None, *, with_judge: bool
) -> ShownMaterials:
    """As templates take it. with_judge: False leaves out whatever the judge says."""
    if facts is None:
        return ShownMaterials(state)
    claims = shown_claims(facts) if with_judge else []
    timeline = build_timeline(
        facts,
        authenticity=facts["authenticity"] if with_judge else (),
        claims=claims,
        wave=_wave(parts, item, facts),
    )
    frames = [_frame(one) for one in facts["frames"]]
    signals = [scaled(one) for one in facts["signals"]]
    maps = list(dict.fromkeys(name for one in frames for name in one.maps))
    chosen = _chosen(maps, frames, [one.name for one in signals if one.is_unusual])
    return ShownMaterials(
        state=state,
        timeline=timeline,
        frames=frames,
        maps=maps,
        first=max(frames, key=lambda one: one.peak(chosen), default=None),
        chosen=chosen,
        sound=facts["sound"],
        claims=claims,
        unusual=[one for one in signals if one.is_unusual],
        usual=[one for one in signals if not one.is_unusual],
        transcript=None if facts["transcript"] is None else facts["transcript"]["segments"],
        steps=[] if timeline is None else marked_seconds(timeline),
    )


def _frame(facts: Facts) -> Frame:
    maps = {
        one["signal"]: {"picture": one["picture"], "peak": one["peak"]}
        for one in facts["heat_maps"]
    }
    return Frame(facts["seconds"], facts["picture"], facts["width"], facts["height"], maps)


def _chosen(maps: Sequence[str], frames: Sequence[Frame], unusual: Sequence[str]) -> str | None:
    """The first unusual signal with a map, else the one of most heat anywhere."""
    for name in maps:
        if name in unusual:
            return name
    heats = {name: max(one.peak(name) for one in frames) for name in maps}
    return max(heats, key=lambda name: heats[name], default=None)


def _wave(parts: RouteServices, item: Item, facts: Facts) -> Facts | None:
    if facts["sound"] is None:
        return None
    setup = setup_of(parts.deployment())
    try:
        found = materials_of(parts.blobs).piece(item.sha256, setup, facts["sound"]["waveform"])
    except MaterialsDamaged:
        # Gone now; the next look has them made again.
        return None
    wave: Facts | None = None if found is None else json.loads(found)
    return wave
