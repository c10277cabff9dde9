"""From which address a request comes, where proxies stand before the server."""

import ipaddress
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

_MAX_HOPS = 16
_WITH_PORT = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+))(?::[0-9]{1,5})?", re.ASCII)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Proxies:
    """The proxies that are believed when they say whom they forward for.

    Each is an address or a network (CIDR). Raises ValueError for what is neither.
    """

    __slots__ = ("_networks",)

    def __init__(self, listed: Iterable[str]) -> None:
        self._networks = tuple(ipaddress.ip_network(item) for item in listed)

    def client(self, peer: str, forwarded: Sequence[str]) -> str:
        """The client's address, of the peer's and the X-Forwarded-For headers in their order.

        Each proxy appends whom it heard; so they are read from the right, for as long as the one
        who said it is trusted. What is no address ends this: it is its sayer that is named.
        """
        if not self._networks:
            return peer.removeprefix("::ffff:") or "unknown"
        address = _parse(peer)
        if address is None:
            return peer or "unknown"
        if forwarded and self._trusts(address):
            for hop in reversed(",".join(forwarded).rsplit(",", _MAX_HOPS)):
                sender = _parse(hop.strip(" \t"))
                if sender is None:
                    break
                address = sender
                if not self._trusts(sender):
                    break
        return str(address)

    def _trusts(self, address: Address) -> bool:
        return any(address in network for network in self._networks)


@lru_cache(maxsize=4096)
def _parse(text: str) -> Address | None:
    """An address, perhaps with a port, `[v6]:port` too; None for anything else."""
    if len(text) > 64 or "%" in text:
        return None
    if match := _WITH_PORT.fullmatch(text):
        text = match[1] or match[2]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
