"""Who plays next, and in which seats: pure, from weights and a given random generator."""

from collections.abc import Sequence
from random import Random

from arena.domain import ModelSpec, ModelState, Seats
from arena.errors import NotEnoughModels


def draw_seats(models: Sequence[ModelSpec], *, rng: Random) -> Seats:
    """Two different models by weight, seated by chance.

    The first is drawn in proportion to its weight, the second likewise among the rest, as FastChat does
    (`get_battle_pair`); then a fair coin seats them, so left and right are equally likely whatever the weights.
    Models that are not enabled, or weigh nothing, are never drawn.

    Raises:
        NotEnoughModels: fewer than two models can be drawn.
    """
    pool = [model for model in models if model.state is ModelState.ENABLED and model.weight > 0]
    if len(pool) < 2:  # noqa: PLR2004 - a battle has two sides
        raise NotEnoughModels(
            f"A battle needs two models, and {len(pool)} can be drawn now: enable another one in arena.toml."
        )
    first = _draw(pool, rng)
    second = _draw([model for model in pool if model is not first], rng)
    left, right = (first, second) if rng.random() < 0.5 else (second, first)  # noqa: PLR2004 - a fair coin
    return Seats(left.name, right.name)


def _draw(pool: Sequence[ModelSpec], rng: Random) -> ModelSpec:
    return rng.choices(pool, weights=[model.weight for model in pool])[0]
