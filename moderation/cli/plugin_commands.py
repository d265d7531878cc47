"""Sub-commands of `moderation` that installed packages offer; a broken one hurts nobody else."""

from typing import Any

import typer
from typer.main import get_command

from moderation.errors import PluginError
from moderation.registry import Plugin, PluginGroup, by_name, require_single

_OWN = "real-moderation"


def add_plugins(app: typer.Typer) -> None:
    """Add the plugins of `PluginGroup.COMMANDS`, `rl`'s own among them, to `app`.

    One that does not load, that has the name of another, or that Typer cannot make a command of,
    is listed as broken, and says why when it is run. None takes the place of a built-in command.
    """
    built_in = {command.name for command in app.registered_commands}
    built_in |= {group.name for group in app.registered_groups}
    for name, found in by_name(PluginGroup.COMMANDS).items():
        if name in built_in:
            sources = ", ".join(plugin.distribution for plugin in found)
            typer.echo(f"moderation: {sources} may not replace the command {name!r}", err=True)
            continue
        try:
            plugin = require_single(found)
            command = plugin.load()
            if plugin.distribution != _OWN:
                _require_command(plugin, command)
        except PluginError as error:
            _add_broken(app, name, error)
        else:
            _add(app, name, command)


def _add(app: typer.Typer, name: str, command: Any) -> None:
    if isinstance(command, typer.Typer):
        app.add_typer(command, name=name)
    else:
        app.command(name)(command)


def _require_command(plugin: Plugin, command: Any) -> None:
    """Typer finds out only when the whole command line is built, and then fails altogether."""
    trial = typer.Typer()
    try:
        _add(trial, plugin.name, command)
        get_command(trial)
    except Exception as error:
        raise PluginError(
            f"plugin {plugin.name!r} of {plugin.distribution} {plugin.version} makes no command: "
            f"{type(error).__name__}: {error}",
            expected="a Typer app, or a function that Typer makes a command of",
            remedy=f"Report it to {plugin.distribution}, or remove it.",
        ) from error


def _add_broken(app: typer.Typer, name: str, error: PluginError) -> None:
    @app.command(
        name,
        help="(broken: run it to see why)",
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    )
    def broken() -> None:
        raise error
