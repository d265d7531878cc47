"""The layouts there are, and the choice among them."""

from pathlib import Path

from moderation.errors import ConfigurationError
from rl.imports import (
    asvspoof,
    av_deepfake1m,
    csv_table,
    deepfakebench,
    faceforensics,
    fakeavceleb,
    genimage,
    in_the_wild,
)
from rl.imports.names import LayoutName
from rl.imports.record import Layout, ReadOptions

LAYOUTS: dict[LayoutName, Layout] = {
    layout.name: layout
    for layout in (
        deepfakebench.LAYOUT,
        faceforensics.LAYOUT,
        fakeavceleb.LAYOUT,
        av_deepfake1m.LAYOUT,
        *asvspoof.LAYOUTS,
        in_the_wild.LAYOUT,
        genimage.LAYOUT,
        csv_table.LAYOUT,
    )
}
FLAGS = {
    "compression": "--compression",
    "frames_per_video": "--frames-per-video",
    "media": "--media",
    "may_leave_root": "--allow-outside",
}


def choose(name: LayoutName, root: Path, options: ReadOptions) -> Layout:
    """The layout of that name; `AUTO` takes the one that recognises `root`.

    Raises:
        ConfigurationError: `root` is not there, none or several recognise it, or an option is
            set that the layout does not have.
    """
    if not root.exists():
        raise ConfigurationError(
            f"{root} is not there",
            expected="the data set's folder or label file",
            remedy="Check the path.",
        )
    layout = _recognised(root) if name is LayoutName.AUTO else LAYOUTS[name]
    default = ReadOptions()
    idle = [
        flag
        for field, flag in FLAGS.items()
        if field not in layout.options and getattr(options, field) != getattr(default, field)
    ]
    if idle:
        raise ConfigurationError(
            f"{', '.join(idle)} with layout {layout.name}",
            expected="only options that the layout has",
            remedy=f"Leave out {', '.join(idle)}.",
        )
    return layout


def _recognised(root: Path) -> Layout:
    found = [layout for layout in LAYOUTS.values() if _is_certain(layout, root)]
    if len(found) != 1:
        names = ", ".join(layout.name for layout in found) or "none of the layouts"
        raise ConfigurationError(
            f"{root} looks like {names}",
            expected="exactly one of " + ", ".join(LAYOUTS),
            remedy="Name the layout instead of auto.",
        )
    return found[0]


def _is_certain(layout: Layout, root: Path) -> bool:
    try:
        return layout.recognises(root)
    except OSError:
        return False
