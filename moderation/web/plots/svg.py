"""Elements of SVG, escaped, without style and script: the policy of the pages forbids both."""

from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup, escape


def element(name: str, *children: Markup | str, **attributes: str | float) -> Markup:
    """One element. `text_anchor` is written text-anchor, `class_` class; numbers to 1/100."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_text(value))}"'
        for key, value in attributes.items()
    )
    inner = Markup("").join(escape(child) for child in children)
    return Markup(f"<{name}{written}>{inner}</{name}>")  # noqa: S704


def _text(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")


def text(x: float, y: float, words: str, **attributes: str | float) -> Markup:
    """Words at a point."""
    return element("text", words, x=x, y=y, **attributes)


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    """A straight line of a class."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=kind)


def rectangle(x: float, y: float, width: float, height: float, kind: str, told: str = "") -> Markup:
    """A bar of a class; told: shown by a pointer that rests on it."""
    children = (element("title", told),) if told else ()
    size = {"width": max(width, 0.0), "height": max(height, 0.0)}
    return element("rect", *children, x=x, y=y, **size, class_=kind)


def dot(x: float, y: float, radius: float, kind: str, told: str = "") -> Markup:
    """A disc of a class; told: shown by a pointer that rests on it."""
    children = (element("title", told),) if told else ()
    return element("circle", *children, cx=x, cy=y, r=radius, class_=kind)


def steps(points: Iterable[tuple[float, float]], kind: str) -> Markup:
    """A path through points."""
    path = " ".join(f"{'L' if k else 'M'}{x:.2f} {y:.2f}" for k, (x, y) in enumerate(points))
    return element("path", d=path, class_=kind)


@dataclass(frozen=True, slots=True)
class Scale:
    """Numbers from `low` to `high` to places from `start` to `end`; what lies beyond is cut."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        if self.high == self.low:
            return self.start
        share = (value - self.low) / (self.high - self.low)
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)


def figure(name: str, told: str, width: float, height: float, marks: Iterable[Markup]) -> Markup:
    """A whole plot. told: what it shows, for whoever does not see it; a table has the numbers."""
    return element(
        "svg",
        element("title", told, id=f"plot-{name}"),
        *marks,
        viewBox=f"0 0 {width:g} {height:g}",
        width=width,
        height=height,
        role="img",
        aria_labelledby=f"plot-{name}",
        class_="plot",
    )


def round_top(value: float) -> float:
    """The least of 1, 2, 5 · 10^k that is at least `value`; 1 for 0."""
    if value <= 1:
        return 1.0
    power = 10.0 ** (len(f"{int(value)}") - 1)
    return next(step * power for step in (1.0, 2.0, 5.0, 10.0) if step * power >= value)
