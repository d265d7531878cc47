"""`moderation plugins`: what is installed for each port."""

import json
from typing import Annotated

import typer


def plugins_command(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """List installed readers, encoders, judges, calibrators and dispatchers."""
    from moderation.registry import PluginGroup, plugins

    found = [plugin for group in PluginGroup for plugin in plugins(group)]
    if as_json:
        keys = ("group", "name", "value", "distribution", "version")
        typer.echo(json.dumps([{key: getattr(p, key) for key in keys} for p in found], indent=2))
        return
    from rich.table import Table
    from rich.text import Text

    from moderation.cli.results_view import output_console
    from moderation.cli.text import printable

    table = Table("group", "name", "distribution", "object", box=None, header_style="bold")
    for plugin in found:
        source = f"{plugin.distribution} {plugin.version}"
        cells = (plugin.group.removeprefix("moderation."), plugin.name, source, plugin.value)
        table.add_row(*(Text(printable(cell)) for cell in cells))
    output_console().print(table)
