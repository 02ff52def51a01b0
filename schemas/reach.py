"""Which addresses a system that somebody registered may be called at: open ones, and networks that the operator named.

Whoever may register an address could otherwise have the hub call into its own machine, a cloud's metadata service or
any host of the inner network. Source: OWASP, Server-Side Request Forgery Prevention; RFC 6890; RFC 6052 (NAT64).
"""

import ipaddress
from collections.abc import Iterator, Sequence

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def networks(text: str) -> tuple[Network, ...]:
    """Of `10.8.0.0/16, 127.0.0.1`. Raises ValueError for what is none."""
    return tuple(ipaddress.ip_network(each.strip()) for each in text.split(",") if each.strip())


def may_call(address: str, named: Sequence[Network]) -> bool:
    """Whether an address, as resolved, may be connected to; whatever address it stands for counts as well."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return all(_open(each, named) for each in _meant(found))


def _open(address: _Address, named: Sequence[Network]) -> bool:
    if any(address in network for network in named):
        return True
    return address.is_global and not (address.is_multicast or address.is_reserved)


def _meant(address: _Address) -> Iterator[_Address]:
    """The address itself, or the IPv4 address that it carries through a gateway."""
    if isinstance(address, ipaddress.IPv4Address):
        yield address
        return
    carried = (address.ipv4_mapped, address.sixtofour, *(address.teredo or ()))
    if address in _NAT64:
        carried = (*carried, ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    inner = [each for each in carried if each is not None]
    yield from inner or (address,)
