"""Options of commands that speak to a server."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from moderation.client import ModerationClient

Server = Annotated[
    str | None,
    typer.Option("--server", help="Address. Default: MODERATION_SERVER.", show_default=False),
]
Key = Annotated[
    str | None,
    typer.Option(
        "--key",
        help="API key. Default: MODERATION_API_KEY, which no other user of the machine sees.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


def connect(server: str | None, key: str | None) -> "ModerationClient":
    """A client by the options, or else by the settings.

    Raises:
        ConfigurationError: there is no key.
    """
    from moderation.errors import ConfigurationError
    from moderation.extras import require_installed
    from moderation.settings import Settings

    require_installed("httpx")
    from moderation.client import ModerationClient

    overrides: dict[str, Any] = {} if server is None else {"server": server}
    settings = Settings.load(**overrides)
    if key is None and settings.api_key is None:
        raise ConfigurationError(
            "no API key",
            expected="MODERATION_API_KEY, or --key",
            remedy="Make one on the server with `moderation keys create`.",
        )
    secret = key if settings.api_key is None or key else settings.api_key.get_secret_value()
    return ModerationClient(settings.server, secret or "")
