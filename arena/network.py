"""Where a request came from: behind which proxies, and as a hash that cannot be turned back into an address."""

import hmac
from collections.abc import Sequence
from hashlib import sha256
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Whoever gets an IPv6 address gets at least so many.
_IPV6_PREFIX = 64


def network_of(peer: str | None, forwarded: Sequence[str], *, proxies: Sequence[Network], secret: str) -> str | None:
    """A keyed hash of the client's network: its IPv4 address, or the first 64 bits of its IPv6 address.

    Args:
        peer: the address that the connection came from; None for this machine.
        forwarded: the values of X-Forwarded-For in their order. They are believed as far as they were written by
            `proxies`: from the right, up to the first address that is none.
        proxies: the networks of the proxies in front of the arena.
        secret: the key of the hash.

    Returns:
        32 hexadecimal digits; None for this machine itself, or when the address makes no sense.
    """
    client = _client(_address(peer or "127.0.0.1"), forwarded, proxies)
    if client is None or client.is_loopback:
        return None
    network = ip_network((client, _IPV6_PREFIX), strict=False) if client.version == 6 else client  # noqa: PLR2004
    return hmac.new(secret.encode(), f"network {network}".encode(), sha256).hexdigest()[:32]


def _client(peer: Address | None, forwarded: Sequence[str], proxies: Sequence[Network]) -> Address | None:
    hops = [part.strip() for value in forwarded for part in value.split(",")]
    client = peer
    while client is not None and hops and _is_proxy(client, proxies):
        client = _address(hops.pop())
    return client


def _is_proxy(address: Address, proxies: Sequence[Network]) -> bool:
    return any(address.version == network.version and address in network for network in proxies)


def _address(text: str) -> Address | None:
    try:
        address = ip_address(text.strip("[]"))
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
