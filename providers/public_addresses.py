"""Which addresses a webhook may be called at: public ones, and those of networks that were allowed. It opens no connection.

Whoever writes a journey must not reach what only this machine or its network can: a database, a cloud's metadata service.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network
_NAT64 = ip_network("64:ff9b::/96")


def allowed(address: str, private: Sequence[Network]) -> bool:
    """May it be called? An IPv4 address within an IPv6 one counts as what it is."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    inner = _within(found)
    return any(_is_in(one, network) for network in private for one in (found, inner)) or all(
        one.is_global and not one.is_multicast for one in (found, inner)
    )


async def resolved(host: str, port: int) -> list[str]:
    """The addresses that a name leads to now, each once, in the order of the system. Raises OSError when it leads nowhere."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(where[4][0]) for where in found))


def _within(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that an IPv6 one stands for, where it does: mapped, 6to4, Teredo, NAT64."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    return IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else address


def _is_in(address: IPv4Address | IPv6Address, network: Network) -> bool:
    return address.version == network.version and address in network
