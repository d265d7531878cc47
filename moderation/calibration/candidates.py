"""Which ways to calibrate there are: plugins by name."""

from moderation import registry
from moderation.calibration.fitting import Candidate
from moderation.registry import Plugin, PluginGroup


def every_candidate() -> list[Candidate]:
    """All installed methods, in order of name.

    Raises:
        PluginError: two have one name, or one does not load.
    """
    return [_candidate(plugin) for plugin in registry.plugins(PluginGroup.CALIBRATORS)]


def candidate(name: str) -> Candidate:
    """The method of a name.

    Raises:
        PluginError: there is none, or it does not load.
    """
    return _candidate(registry.find(PluginGroup.CALIBRATORS, name))


def _candidate(plugin: Plugin) -> Candidate:
    return Candidate(plugin.load(), f"{plugin.distribution} {plugin.version}")
