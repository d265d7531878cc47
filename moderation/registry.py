"""Plugins: what entry points offer for each port, loaded only when asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from moderation.errors import PluginError
from moderation.extras import not_installed


class PluginGroup(StrEnum):
    """The entry-point groups; each holds implementations of one protocol.

    `ENCODERS`, called with those of the keywords `weights`, `device` and `dtype` that they take,
    `JUDGES` and `DISPATCHERS` (see `moderation.ports`) are chosen by name in the settings. Of
    `READERS`, the sandbox runs those of this distribution, in its own order.
    `BELLS` tell the workers of a broker that there is work, see `moderation.ports.Bell`.
    `COMMANDS` holds sub-commands of `moderation`: a Typer app or a function. Their modules are
    imported with the command line, so they import what is heavy only when they run.
    """

    READERS = "moderation.readers"
    ENCODERS = "moderation.encoders"
    JUDGES = "moderation.judges"
    CALIBRATORS = "moderation.calibrators"
    DISPATCHERS = "moderation.dispatchers"
    BELLS = "moderation.bells"
    COMMANDS = "moderation.commands"


@dataclass(frozen=True, slots=True)
class Plugin:
    """One entry point; `value` is the `module:object` that `load` imports."""

    group: PluginGroup
    name: str
    value: str
    distribution: str
    version: str

    def load(self) -> Any:
        """The object behind the entry point, importing its module now.

        Raises:
            ConfigurationError: an extra of ours brings a package that it needs.
            PluginError: the module or the object is not there, or its import fails.
        """
        try:
            return EntryPoint(self.name, self.value, self.group).load()
        except Exception as error:
            absent = error.name if isinstance(error, ModuleNotFoundError) else None
            if absent is not None and (known := not_installed(absent)) is not None:
                raise known from error
            # Importing a third party's module may raise anything at all.
            raise PluginError(
                f"plugin {self.name!r} of {self.distribution} {self.version} does not load: "
                f"{type(error).__name__}: {error}",
                expected=f"{self.value} to be importable",
                remedy=f"Install what {self.distribution} needs, or remove it.",
            ) from error


def _plugin(group: PluginGroup, entry: EntryPoint) -> Plugin:
    distribution = entry.dist
    return Plugin(
        group=group,
        name=entry.name,
        value=entry.value,
        distribution="unknown" if distribution is None else distribution.name,
        version="unknown" if distribution is None else distribution.version,
    )


def plugins(group: str) -> tuple[Plugin, ...]:
    """Every plugin of `group`, one of `PluginGroup`, in order of name; nothing is imported.

    Raises:
        PluginError: no such group, or two distributions use the same name.
    """
    return tuple(require_single(found) for found in by_name(group).values())


def require_single(found: Sequence[Plugin]) -> Plugin:
    """The one plugin of a name.

    Raises:
        PluginError: there are several.
    """
    plugin, *others = found
    for other in others:
        raise PluginError(
            f"{plugin.group} has two plugins named {plugin.name!r}: {plugin.value} from "
            f"{plugin.distribution} {plugin.version}, and {other.value} from "
            f"{other.distribution} {other.version}",
            expected="one plugin a name",
            remedy=f"Uninstall {plugin.distribution} or {other.distribution}.",
        )
    return plugin


def by_name(group: str) -> dict[str, list[Plugin]]:
    """The plugins of `group` by name, in its order; several under one name are a fault.

    Raises:
        PluginError: no such group.
    """
    if group not in list(PluginGroup):
        raise PluginError(
            f"no plugin group is named {group!r}",
            expected=f"one of: {', '.join(PluginGroup)}",
            remedy="Correct the name of the group.",
        )
    group = PluginGroup(group)
    found: dict[str, list[Plugin]] = {}
    for entry in entry_points(group=group):
        found.setdefault(entry.name, []).append(_plugin(group, entry))
    return {name: found[name] for name in sorted(found)}


def load(group: str, name: str) -> Any:
    """The object that plugin `name` of `group` stands for.

    Raises:
        PluginError: no such group or plugin, a doubled name, or one that does not load.
    """
    return find(group, name).load()


def find(group: str, name: str) -> Plugin:
    """Plugin `name` of `group`; nothing is imported.

    Raises:
        PluginError: no such group or plugin, or a doubled name.
    """
    known = plugins(group)
    for plugin in known:
        if plugin.name == name:
            return plugin
    names = ", ".join(plugin.name for plugin in known)
    raise PluginError(
        f"{group} has no plugin named {name!r}",
        expected=f"one of: {names}" if names else "an installed plugin, and there is none",
        remedy="Check the name, or install the distribution that provides it.",
    )
