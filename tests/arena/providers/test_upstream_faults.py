from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from arena.domain import Fault, FinishReason
from arena.errors import ProviderFault
from arena.providers.chat_events import ChatEvents
from arena.providers.upstream_faults import (
    error_object,
    fault_of_error,
    fault_of_exception,
    fault_of_status,
    retry_after_seconds,
)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "3"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "3"}, 3.0),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "later"}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 -0000"}, 0.0),
    ],
)
def test_the_wait_is_read_from_the_headers(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_seconds(headers) == seconds


def test_a_date_in_the_future_is_a_wait() -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(minutes=10), usegmt=True)

    seconds = retry_after_seconds({"retry-after": date})

    assert seconds is not None
    assert 500 < seconds <= 600


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"error": {"message": "m"}}, {"message": "m"}),
        ({"error": "m"}, {"message": "m"}),
        ({"detail": "m"}, {"message": "m"}),
        ({"object": "error", "message": "m"}, {"object": "error", "message": "m"}),
        ({"error": None}, None),
        ({"choices": []}, None),
        ([], None),
        (None, None),
    ],
)
def test_errors_are_found_in_every_usual_shape(body: object, error: object) -> None:
    assert error_object(body) == error


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        ({"type": "server_error"}, Fault.OVERLOADED),
        ({"message": "something"}, Fault.OVERLOADED),
        ({"code": "rate_limit_exceeded"}, Fault.RATE_LIMITED),
        ({"code": 400, "message": "maximum context length"}, Fault.CONTEXT_OVERFLOW),
        ({"code": 502}, Fault.OVERLOADED),
        ({"code": 7, "message": "model_not_found"}, Fault.NOT_FOUND),
        ({"code": "invalid_api_key"}, Fault.REFUSED_KEY),
    ],
)
def test_an_error_in_the_stream_gets_its_name(error: dict[str, object], fault: Fault) -> None:
    assert fault_of_error(error).fault is fault


@pytest.mark.parametrize(
    ("status", "fault"),
    [(204, Fault.MALFORMED), (301, Fault.REDIRECTED), (408, Fault.OVERLOADED), (418, Fault.BAD_REQUEST)],
)
def test_a_status_alone_gets_a_name(status: int, fault: Fault) -> None:
    assert fault_of_status(status, {}).fault is fault


def test_a_fault_within_an_error_is_that_fault() -> None:
    error = RuntimeError("outer")
    error.__cause__ = ProviderFault(Fault.QUOTA)

    assert fault_of_exception(error, answering=True) is error.__cause__


def test_an_error_that_is_its_own_cause_ends() -> None:
    error = OSError("round and round")
    error.__context__ = second = OSError("and round")
    second.__context__ = error

    assert fault_of_exception(error, answering=False).fault is Fault.UNREACHABLE


def test_a_stream_without_an_event_and_without_a_byte_was_cut_off() -> None:
    with pytest.raises(ProviderFault) as caught:
        ChatEvents(max_bytes=10, max_line_bytes=10).end()

    assert caught.value.fault is Fault.CUT_OFF


def test_nothing_is_said_after_the_reason_to_stop() -> None:
    events = ChatEvents(max_bytes=1000, max_line_bytes=100)

    text = events.feed(
        b'data: {"choices": [{"delta": {"content": "a"}, "finish_reason": "stop"}]}\n'
        b'data: {"choices": [{"delta": {"content": "b"}}]}\n'
        b"data: [DONE]\n"
        b"data: nonsense\n"
    )

    assert text == "a"
    assert events.end().finish_reason is FinishReason.STOP
