import logging
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from arena.embedded import EmbeddedModels, FetchProgress, FetchState, Weights
from arena.embedded.supervision import _news


def told(*steps: tuple[FetchState, int]) -> list[str]:
    progress = [FetchProgress(name="m", state=state, bytes_done=done, bytes_total=10_000_000) for state, done in steps]
    news = [_news(before, now) for before, now in pairwise(progress)]
    return [sentence for sentence in news if sentence]


def test_a_fetch_is_told_at_every_tenth_and_at_its_end() -> None:
    sentences = told(
        (FetchState.WAITING, 0),
        (FetchState.FETCHING, 100_000),
        (FetchState.FETCHING, 900_000),
        (FetchState.FETCHING, 2_100_000),
        (FetchState.FETCHING, 2_900_000),
        (FetchState.JOINING, 10_000_000),
        (FetchState.READY, 10_000_000),
    )

    assert sentences == ["Fetching m: 0 % of 10 MB.", "Fetching m: 20 % of 10 MB.", "m is here."]


def test_an_interrupted_fetch_goes_on_where_it_stopped() -> None:
    assert told((FetchState.WAITING, 0), (FetchState.FETCHING, 5_000_000)) == ["Fetching m: 50 % of 10 MB."]


def test_nothing_is_told_of_a_model_that_is_here() -> None:
    assert told((FetchState.WAITING, 0), (FetchState.READY, 10_000_000)) == []


def test_the_log_carries_it(
    make_weights: Callable[..., Weights],
    cache_dir: Path,
    until: Callable[[Callable[[], object]], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    weights = make_weights("tiny", b"tiny")
    models = EmbeddedModels(
        ["tiny"], cache_dir=cache_dir, table={"tiny": weights}, command=lambda *_: ("true",), retry_seconds=()
    )

    with caplog.at_level(logging.INFO, logger="arena"):
        models.start()
        until(lambda: "tiny is here." in caplog.messages)

    models.close()
    assert caplog.messages[0].startswith("Fetching tiny: ")
