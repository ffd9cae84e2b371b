import pytest

from arena.domain import ModelSpec


def spec(*, price_in: float | None, price_out: float | None) -> ModelSpec:
    return ModelSpec(name="m", provider="scripted", display_name="m", price_in=price_in, price_out=price_out)


def test_an_answer_costs_its_tokens_at_the_price_per_million() -> None:
    model = spec(price_in=2.5, price_out=10.0)

    assert model.cost_usd(1_000_000, 100_000) == pytest.approx(3.5)


@pytest.mark.parametrize(
    ("price_in", "price_out", "tokens_in", "tokens_out"),
    [(None, 1.0, 1, 1), (1.0, None, 1, 1), (1.0, 1.0, None, 1), (1.0, 1.0, 1, None)],
)
def test_a_cost_with_an_unknown_price_or_count_is_unknown(
    price_in: float | None, price_out: float | None, tokens_in: int | None, tokens_out: int | None
) -> None:
    assert spec(price_in=price_in, price_out=price_out).cost_usd(tokens_in, tokens_out) is None
