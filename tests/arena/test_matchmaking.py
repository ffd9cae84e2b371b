from collections import Counter
from math import sqrt
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.domain import BattleKind, ModelSpec, ModelState
from arena.errors import NotEnoughModels
from arena.matchmaking import draw_pairing


def model(name: str, *, weight: float = 1.0, state: ModelState = ModelState.ENABLED) -> ModelSpec:
    return ModelSpec(name=name, display_name=name, provider="scripted", weight=weight, state=state)


@given(weights=st.lists(st.floats(0.01, 100), min_size=2, max_size=8), seed=st.integers())
def test_a_model_never_meets_itself(weights: list[float], seed: int) -> None:
    models = [model(f"m{index}", weight=weight) for index, weight in enumerate(weights)]

    seats = draw_pairing(models, rng=Random(seed)).seats

    assert seats.a != seats.b


def test_one_seed_draws_one_sequence_of_battles() -> None:
    models = [model(name) for name in "abcd"]

    first, second = ([draw_pairing(models, rng=rng).seats for _ in range(50)] for rng in (Random(7), Random(7)))

    assert first == second


def test_each_model_sits_left_half_of_the_time_whatever_its_weight() -> None:
    models = [model("heavy", weight=9.0), model("light"), model("middle", weight=3.0)]
    rng = Random(1)
    battles = 10_000

    seats = [draw_pairing(models, rng=rng).seats for _ in range(battles)]

    for name in ("heavy", "light", "middle"):
        played = sum(name in (seat.a, seat.b) for seat in seats)
        left = sum(seat.a == name for seat in seats)
        assert abs(left - played / 2) < 3 * sqrt(played) / 2


def test_pairs_come_as_often_as_the_weights_say() -> None:
    # Weights 2, 1, 1: P(first = x) = 1/2; P({x, y}) = 1/2 * 1/2 + 1/4 * 2/3 = 5/12 = P({x, z}); P({y, z}) = 1/6.
    models = [model("x", weight=2.0), model("y"), model("z")]
    rng = Random(3)

    counts = Counter(
        frozenset({seats.a, seats.b}) for seats in (draw_pairing(models, rng=rng).seats for _ in range(12_000))
    )

    expected = {frozenset("xy"): 5_000, frozenset("xz"): 5_000, frozenset("yz"): 2_000}
    chi_squared = sum((counts[pair] - n) ** 2 / n for pair, n in expected.items())
    assert chi_squared < 13.8  # p > 0.001 at two degrees of freedom


@pytest.mark.parametrize(
    "bench",
    [
        model("off", state=ModelState.DISABLED),
        model("gone", state=ModelState.RETIRED),
        model("weightless", weight=0.0),
    ],
    ids=lambda spec: spec.name,
)
def test_a_model_that_does_not_take_part_is_never_drawn(bench: ModelSpec) -> None:
    rng = Random(0)

    seats = [draw_pairing([model("a"), bench, model("b")], rng=rng).seats for _ in range(200)]

    assert all(bench.name not in (seat.a, seat.b) for seat in seats)


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_models_are_refused_with_the_remedy(count: int) -> None:
    models = [model(f"m{index}") for index in range(count)]

    with pytest.raises(NotEnoughModels, match=rf"needs two models, and {count} can be drawn .* enable"):
        draw_pairing(models, rng=Random(0))


def test_a_share_of_the_battles_shows_one_model_twice_unranked() -> None:
    models = [model("x", weight=3.0), model("y")]
    rng = Random(5)
    battles = 10_000

    drawn = [draw_pairing(models, rng=rng, aa_share=0.02) for _ in range(battles)]

    twice = [pairing for pairing in drawn if pairing.seats.a == pairing.seats.b]
    assert abs(len(twice) - 200) < 3 * sqrt(battles * 0.02 * 0.98)
    assert {pairing.kind for pairing in twice} == {BattleKind.AA}
    assert {pairing.kind for pairing in drawn if pairing not in twice} == {BattleKind.RANKED}


def test_without_a_share_for_it_chance_is_spent_on_nothing_else() -> None:
    models = [model(name) for name in "abc"]

    with_, without = (
        [draw_pairing(models, rng=rng, **given) for _ in range(20)]
        for rng, given in ((Random(7), {"aa_share": 0.0}), (Random(7), {}))
    )

    assert with_ == without
