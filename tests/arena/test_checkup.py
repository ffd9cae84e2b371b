import asyncio
from typing import Any

import pytest

from arena.checkup import REMEDIES, Checkup, check_models
from arena.domain import Fault, ModelSpec, ModelState
from arena.errors import ProviderFault
from arena.providers import StreamLimits
from arena.streaming import Endpoint

LIMITS = StreamLimits()


def model(name: str, script: dict[str, Any], **fields: Any) -> ModelSpec:  # noqa: ANN401 - any field of a spec
    return ModelSpec(name=name, provider="scripted", display_name=name.title(), script=script, **fields)


def nowhere(_: ModelSpec) -> Endpoint:
    return Endpoint("", None)


def check(*specs: ModelSpec) -> tuple[Checkup, ...]:
    return asyncio.run(check_models(specs, endpoint=nowhere, limits=LIMITS))


def test_a_healthy_model_shows_its_pace_and_what_the_question_cost() -> None:
    script = {"text": "Paris is the capital of France.", "tokens_per_second": 100.0}

    (checkup,) = check(model("well", script, price_in=1.0, price_out=2.0))

    assert checkup.problem is None
    assert checkup.first_token_ms is not None
    assert checkup.tokens_per_second is not None
    assert checkup.tokens_per_second > 0
    assert checkup.cost_usd == pytest.approx((10 * 1 + 6 * 2) / 1e6)


def test_an_answer_of_one_token_has_no_pace() -> None:
    (checkup,) = check(model("brief", {"text": "Paris."}))

    assert checkup == Checkup(model="brief", first_token_ms=checkup.first_token_ms)


def test_a_failing_model_is_named_with_the_remedy_and_the_others_are_still_asked() -> None:
    checkups = check(model("bad", {"fault": "refused_key"}), model("good", {"text": "Paris."}))

    assert [checkup.model for checkup in checkups] == ["bad", "good"]
    assert checkups[0].problem is not None
    assert checkups[0].problem.startswith("Bad: the key is missing or refused; check key_variable")
    assert checkups[1].problem is None


def test_a_model_that_cannot_even_be_reached_says_why() -> None:
    def endpoint(_: ModelSpec) -> Endpoint:
        raise ProviderFault(Fault.REFUSED_KEY, "M_KEY is not set")

    (checkup,) = asyncio.run(check_models((model("m", {}),), endpoint=endpoint, limits=LIMITS))

    assert checkup.problem == f"M: {REMEDIES[Fault.REFUSED_KEY]} (M_KEY is not set)."


def test_models_that_are_not_enabled_are_not_asked() -> None:
    assert check(model("m", {}, state=ModelState.DISABLED), model("n", {}, state=ModelState.RETIRED)) == ()


def test_there_is_a_remedy_for_every_fault() -> None:
    assert set(REMEDIES) == set(Fault)
