from ipaddress import ip_network

import pytest

from arena.network import network_of

PROXIES = [ip_network("10.0.0.0/8"), ip_network("127.0.0.1/32")]


def _of(peer: str | None, *forwarded: str) -> str | None:
    return network_of(peer, forwarded, proxies=PROXIES, secret="s" * 16)


def test_a_network_is_a_keyed_hash() -> None:
    found = _of("203.0.113.7")

    assert found is not None
    assert len(found) == 32
    assert "203" not in found
    assert found == _of("203.0.113.7")
    assert found != _of("203.0.113.8")
    assert found != network_of("203.0.113.7", (), proxies=(), secret="t" * 16)


@pytest.mark.parametrize("forwarded", ["198.51.100.1", "198.51.100.1, 198.51.100.2", "nonsense"])
def test_a_header_from_somebody_else_than_a_proxy_is_not_believed(forwarded: str) -> None:
    assert _of("203.0.113.7", forwarded) == _of("203.0.113.7")


def test_a_proxys_header_tells_the_client() -> None:
    assert _of("10.1.2.3", "203.0.113.7") == _of("203.0.113.7")
    assert _of(None, "203.0.113.7") == _of("203.0.113.7")


def test_what_the_client_wrote_before_the_proxies_is_not_believed() -> None:
    assert _of("10.1.2.3", "198.51.100.1, 203.0.113.7, 10.9.9.9") == _of("203.0.113.7")
    assert _of("10.1.2.3", "198.51.100.1", "203.0.113.7") == _of("203.0.113.7")


def test_an_ipv6_client_is_its_first_64_bits() -> None:
    assert _of("2001:db8::1") == _of("2001:db8::ffff:2")
    assert _of("2001:db8::1") != _of("2001:db8:0:1::1")
    assert _of("::ffff:203.0.113.7") == _of("203.0.113.7")


@pytest.mark.parametrize(("peer", "forwarded"), [(None, ()), ("127.0.0.1", ()), ("10.1.2.3", ("oops",)), ("::1", ())])
def test_this_machine_and_nonsense_have_no_network(peer: str | None, forwarded: tuple[str, ...]) -> None:
    assert _of(peer, *forwarded) is None
