"""Names and addresses of hosts as requests carry them."""

import re
from contextlib import suppress
from ipaddress import ip_address
from typing import Final

from starlette.datastructures import Headers
from starlette.types import Scope

LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
_HOST: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[\w.-]+)(?::\d{1,5})?", re.ASCII)


def is_everywhere(address: str | None) -> bool:
    """Whether a server that listens on `address` listens on every address of its machine."""
    return address is None or address in {"", "0.0.0.0", "::"}


def only(headers: Headers, name: str) -> str:
    """The header's value; empty when it is missing or stands there twice."""
    values = headers.getlist(name)
    return values[0] if len(values) == 1 else ""


def named(host: str) -> str:
    """The name or address in a Host header; empty when it holds anything else."""
    match = _HOST.fullmatch(host)
    return _plain(match[1].strip("[]")) if match else ""


def own_address(scope: Scope) -> str | None:
    """The address by which this very connection reached the server: nobody can rebind that."""
    server = scope.get("server")
    return _plain(server[0]) if server else None


def _plain(name: str) -> str:
    with suppress(ValueError):
        address = ip_address(name)
        return str(getattr(address, "ipv4_mapped", None) or address)
    return name.lower()
