"""Which addresses a request of the server's own may go to."""

import ipaddress
import socket
from collections.abc import Callable, Sequence

from moderation.errors import PermanentError, TransientError

Resolver = Callable[[str, int], Sequence[str]]


class AddressRefused(PermanentError):
    """A URL that leads somewhere that this server does not go for a stranger."""

    code = "address_refused"


class NameNotResolved(TransientError):
    """The name service does not know a host, or does not answer."""

    code = "name_not_resolved"


def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, as the system's resolver has them.

    Raises:
        NameNotResolved: there are none.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NameNotResolved(
            f"the host {host[:253]!r} has no address",
            expected="a name that the name service knows",
            remedy="Correct the URL, or try again.",
        ) from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: str) -> bool:
    """Whether an address belongs to the public internet.

    Not: private, loopback, link-local (cloud metadata), multicast, reserved, shared (RFC 6598),
    and IPv4 addresses of these kinds written as IPv6 (mapped, 6to4, NAT64, Teredo).
    """
    try:
        # A scope (fe80::1%eth0) names a network of this machine.
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.scope_id is not None or parsed.is_site_local:
            return False
        inner = _embedded(parsed)
        if inner is not None:
            return is_public(str(inner))
    return parsed.is_global and not (
        parsed.is_multicast or parsed.is_reserved or parsed.is_unspecified
    )


_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def _embedded(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def public_address(host: str, port: int, resolver: Resolver = resolve) -> str:
    """An address of `host` to connect to. Every one of its addresses must be public.

    Raises:
        AddressRefused: one is not, whichever the system would have chosen.
        NameNotResolved: it has none.
    """
    found = resolver(host, port)
    if not found or not all(map(is_public, found)):
        raise AddressRefused(
            f"the host {host[:253]!r} has an address that is not public",
            expected="a host of the public internet",
            remedy="Upload the file instead, or let the operator receive it.",
        )
    return found[0]
