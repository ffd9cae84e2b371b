"""Small local models that need no key: fetched into the user's cache, served by supervised child processes."""

from arena.embedded.contestants import SECOND_SETTING, default_names, default_specs, meets_itself
from arena.embedded.fetch import FetchProgress, FetchState, cached, default_cache_dir, fetch
from arena.embedded.process import Served
from arena.embedded.supervision import EmbeddedModels
from arena.embedded.support import supported
from arena.embedded.weights import DEFAULT_NAMES, WEIGHTS, Part, Weights, find_weights

__all__ = [
    "DEFAULT_NAMES",
    "SECOND_SETTING",
    "WEIGHTS",
    "EmbeddedModels",
    "FetchProgress",
    "FetchState",
    "Part",
    "Served",
    "Weights",
    "cached",
    "default_cache_dir",
    "default_names",
    "default_specs",
    "fetch",
    "find_weights",
    "meets_itself",
    "supported",
]
