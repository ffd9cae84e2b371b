from collections.abc import Callable
from threading import Event, active_count

import pytest

from arena.metrics import Metrics
from arena.vitals import Vitals


def vitals(ask: Callable[[], object] = int, *, models: int = 2, patience_seconds: float = 30.0) -> Vitals:
    return Vitals(Metrics(), ask_database=ask, ready_models=lambda: models, patience_seconds=patience_seconds)


def test_with_a_database_and_two_models_all_is_well() -> None:
    readiness = vitals().readiness()

    assert (readiness.ready_models, readiness.reasons) == (2, ())


def test_one_model_is_not_enough() -> None:
    assert vitals(models=1).readiness().reasons == ("Fewer than 2 models are ready.",)


def test_a_database_that_fails_is_a_reason_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise OSError("the disk is gone")

    assert vitals(fail).readiness().reasons == ("The database does not answer.",)
    assert "the disk is gone" in caplog.text


def test_a_database_that_hangs_is_a_reason_within_a_bound_and_takes_one_thread() -> None:
    go_on = Event()
    hanging = vitals(go_on.wait, patience_seconds=0.01)
    hanging.readiness()
    threads = active_count()

    reasons = [hanging.readiness().reasons for _ in range(5)]

    assert reasons == [("The database does not answer.",)] * 5
    assert active_count() == threads
    go_on.set()


def test_a_database_that_comes_back_is_seen() -> None:
    answers = iter([OSError("away"), None])

    def ask() -> None:
        answer = next(answers)
        if answer is not None:
            raise answer

    asked = vitals(ask)

    assert [bool(asked.readiness().reasons) for _ in range(2)] == [True, False]


def test_an_arena_that_closes_wants_no_more_visitors() -> None:
    closing = vitals()

    closing.close()

    assert closing.readiness().reasons == ("The arena is shutting down.",)
