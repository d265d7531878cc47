"""`moderation plugins`: what is installed for each port."""

import json
from collections.abc import Collection
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from moderation.registry import Plugin


def plugins_command(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """List installed plugins, which of them are in use, and what chooses them."""
    from moderation.registry import PluginGroup, by_name
    from moderation.settings import Settings

    chosen = Settings.load().plugins
    found = [one for group in PluginGroup for same in by_name(group).values() for one in same]
    if as_json:
        keys = ("group", "name", "value", "distribution", "version")
        rows = [
            {key: getattr(p, key) for key in keys} | {"is_used": _is_used(p, chosen)} for p in found
        ]
        typer.echo(json.dumps(rows, indent=2))
        return
    from rich.table import Table
    from rich.text import Text

    from moderation.cli.results_view import output_console
    from moderation.cli.text import printable

    choice = {
        PluginGroup.READERS: "built in",
        PluginGroup.ENCODERS: "MODERATION_ENCODERS",
        PluginGroup.JUDGES: "MODERATION_JUDGE_PLUGIN",
        PluginGroup.CALIBRATORS: "calibrate fit",
        PluginGroup.DISPATCHERS: "MODERATION_DISPATCHER",
        PluginGroup.BELLS: "MODERATION_BROKER_URL",
        PluginGroup.COMMANDS: "all",
    }
    table = Table(
        *("group", "name", "used", "chosen by", "distribution", "object"),
        box=None,
        header_style="bold",
    )
    for plugin in found:
        group = plugin.group.removeprefix("moderation.")
        used = "yes" if _is_used(plugin, chosen) else "no"
        source = f"{plugin.distribution} {plugin.version}"
        cells = (group, plugin.name, used, choice[plugin.group], source, plugin.value)
        table.add_row(*(Text(printable(cell)) for cell in cells))
    output_console().print(table)


def _is_used(plugin: "Plugin", chosen: Collection[tuple[str, str]]) -> bool:
    from moderation.registry import PluginGroup

    if plugin.group is PluginGroup.READERS:
        return plugin.value.startswith("encoders.readers.")
    return plugin.group is PluginGroup.COMMANDS or (plugin.group, plugin.name) in chosen
