"""Who plays next, and in which seats: pure, from weights and a given random generator."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from arena.domain import BattleKind, ModelSpec, ModelState, Seats
from arena.errors import NotEnoughModels


@dataclass(frozen=True, slots=True)
class Pairing:
    """Who plays, and whether it is ranked."""

    seats: Seats
    kind: BattleKind = BattleKind.RANKED


def draw_pairing(models: Sequence[ModelSpec], *, rng: Random, aa_share: float = 0.0) -> Pairing:
    """Two different models by weight, seated by chance; in a share of the battles one model against itself.

    The first is drawn in proportion to its weight, the second likewise among the rest, as FastChat does
    (`get_battle_pair`); then a fair coin seats them, so left and right are equally likely whatever the weights.
    Models that are not enabled, or weigh nothing, are never drawn.

    Args:
        models: those that could answer now.
        rng: where chance comes from.
        aa_share: 0 to 1; how many battles gauge the noise instead (an A/A test: any verdict but a tie is chance).

    Raises:
        NotEnoughModels: fewer than two models can be drawn.
    """
    pool = [model for model in models if model.state is ModelState.ENABLED and model.weight > 0]
    if len(pool) < 2:  # noqa: PLR2004 - a battle has two sides
        raise NotEnoughModels(
            f"A battle needs two models, and {len(pool)} can be drawn now: enable another one in arena.toml."
        )
    first = _draw(pool, rng)
    if aa_share and rng.random() < aa_share:
        return Pairing(Seats(first.name, first.name), BattleKind.AA)
    second = _draw([model for model in pool if model is not first], rng)
    left, right = (first, second) if rng.random() < 0.5 else (second, first)  # noqa: PLR2004 - a fair coin
    return Pairing(Seats(left.name, right.name))


def _draw(pool: Sequence[ModelSpec], rng: Random) -> ModelSpec:
    return rng.choices(pool, weights=[model.weight for model in pool])[0]
