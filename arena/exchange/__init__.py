"""The door to files of other tools."""

from arena.exchange.api_endpoints import import_api_endpoints
from arena.exchange.strict_json import read_json

__all__ = ["import_api_endpoints", "read_json"]
