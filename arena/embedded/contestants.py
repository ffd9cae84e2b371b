"""The contestants of an arena whose `arena.toml` names no models."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from arena.domain import ModelSpec, ModelState
from arena.embedded.fetch import cached, default_cache_dir
from arena.embedded.weights import DEFAULT_NAMES, WEIGHTS

_SMALL = WEIGHTS["smollm2-135m"].spec

# A contestant of its own, so its name is as permanent as the others': only its sampling differs.
SECOND_SETTING = replace(
    _SMALL,
    name="smollm2-135m-instruct-t12",
    display_name="SmolLM2 135M Instruct, temperature 1.2",
    temperature=1.2,
    top_p=0.95,
    aliases=(),
)


def default_names(cache_dir: Path | None = None) -> tuple[str, ...]:
    """The weights to serve: the two defaults, and each other whose file was fetched into `cache_dir` on request."""
    folder = cache_dir or default_cache_dir()
    on_request = (weights for name, weights in WEIGHTS.items() if name not in DEFAULT_NAMES)
    return (*DEFAULT_NAMES, *(weights.name for weights in on_request if cached(weights, cache_dir=folder)))


def default_specs(ready: Collection[str], *, names: Collection[str] = DEFAULT_NAMES) -> tuple[ModelSpec, ...]:
    """The contestants, when the weights called `ready` are being served and those called `names` are meant to be.

    SmolLM2 under a second setting is always among them, so that its votes keep their model; it is enabled only as long
    as there is no other opponent.
    """
    wanted = {*names, *ready}
    specs = tuple(weights.spec for name, weights in WEIGHTS.items() if name in wanted)
    alone = meets_itself(ready) is not None
    return (*specs, replace(SECOND_SETTING, state=ModelState.ENABLED if alone else ModelState.DISABLED))


def meets_itself(ready: Collection[str]) -> str | None:
    """A sentence for the page while SmolLM2 is the only model served, so that it meets itself; None otherwise."""
    if any(name in WEIGHTS and name != _SMALL.upstream_id for name in ready):
        return None
    return (
        "SmolLM2 meets itself under a second setting as long as no other model is ready: "
        "both answers come from the same small model, once steady and once lively."
    )
