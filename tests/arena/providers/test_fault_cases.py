"""Every fault of the table, all at once, through the real client and over real sockets."""

import asyncio
from collections.abc import Iterator, Mapping

import pytest

from arena.domain import Fault, FinishReason
from arena.providers.openai_chat import OpenAIChat
from tests.asking import PATIENT, Outcome, outcome_of
from tests.fault_cases import CASES, HELLO, OWN_FAULTS, Upstreams
from tests.faults import FAULTS, KEY, OTHER_NAME

HEALTHY = ("ok", "good-certificate")
FAILED = [name for name, case in CASES.items() if case.fault]
HEALED = [name for name, case in CASES.items() if not case.fault]


@pytest.fixture(scope="module")
def upstreams(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upstreams]:
    with Upstreams(tmp_path_factory.mktemp("certificates")) as upstreams:
        yield upstreams


@pytest.fixture(scope="module")
def outcomes(upstreams: Upstreams) -> Mapping[str, Outcome]:
    return asyncio.run(_ask_all(upstreams))


async def _ask_all(upstreams: Upstreams) -> Mapping[str, Outcome]:
    provider = OpenAIChat()
    limits = dict.fromkeys(HEALTHY, PATIENT) | {name: case.limits for name, case in CASES.items()}
    try:
        asked = (outcome_of(provider, upstreams.url(name), limits=limits[name]) for name in limits)
        return dict(zip(limits, await asyncio.gather(*asked), strict=True))
    finally:
        await provider.close()


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_upstream_answers(outcomes: Mapping[str, Outcome], name: str) -> None:
    outcome = outcomes[name]

    assert outcome.fault is None
    assert outcome.text == HELLO


@pytest.mark.parametrize("name", HEALED)
def test_what_can_be_healed_is_a_whole_answer(outcomes: Mapping[str, Outcome], name: str) -> None:
    outcome = outcomes[name]

    assert outcome.fault is None
    assert outcome.text == CASES[name].text
    assert outcome.end is not None
    assert outcome.end.finish_reason is FinishReason.STOP


@pytest.mark.parametrize("name", FAILED)
def test_a_fault_gets_its_neutral_name_and_tells_no_key(outcomes: Mapping[str, Outcome], name: str) -> None:
    outcome = outcomes[name]

    assert outcome.fault is not None
    assert outcome.fault.fault is CASES[name].fault, outcome.fault
    assert KEY not in str(outcome.fault)


@pytest.mark.parametrize("name", CASES)
def test_an_upstream_is_asked_twice_at_most(outcomes: Mapping[str, Outcome], upstreams: Upstreams, name: str) -> None:
    assert name in outcomes
    assert upstreams.requests(name) == CASES[name].requests


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if not case.seen])
def test_where_no_request_arrives_the_fault_says_whether_it_was_asked_again(
    outcomes: Mapping[str, Outcome], name: str
) -> None:
    fault = outcomes[name].fault

    assert fault is not None
    assert fault.retriable is CASES[name].asked_again


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("expired-certificate", "certificate has expired"),
        ("wrong-host-certificate", "IP address mismatch"),
        ("unknown-authority", "self-signed certificate"),
    ],
)
def test_a_certificate_is_refused_for_what_is_wrong_with_it(
    outcomes: Mapping[str, Outcome], name: str, reason: str
) -> None:
    assert reason in str(outcomes[name].fault)


def test_no_redirect_takes_the_prompt_to_another_host(outcomes: Mapping[str, Outcome], upstreams: Upstreams) -> None:
    assert outcomes["redirect-other"].fault is not None
    assert upstreams.elsewhere.requests == []


def test_what_is_too_large_is_cut(outcomes: Mapping[str, Outcome]) -> None:
    for name, case in CASES.items():
        if case.fault is Fault.TOO_LARGE:
            assert len(outcomes[name].text) <= case.limits.max_characters


def test_the_model_that_answered_is_known(outcomes: Mapping[str, Outcome]) -> None:
    end = outcomes["other-model"].end

    assert end is not None
    assert end.model_seen == OTHER_NAME


def test_every_fault_of_the_server_is_in_the_table() -> None:
    for_other_tests = {"ok", "hang", "slow", "kept-open"}

    assert FAULTS.keys() - for_other_tests <= CASES.keys()
    assert {case.fault for case in CASES.values()} == {None, *Fault} - OWN_FAULTS.keys()
