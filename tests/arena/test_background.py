import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from threading import Event, Thread
from time import monotonic

import pytest

from arena.background import FAILED, Background, Order
from arena.errors import BeingRated, CannotRate
from tests.fault_server import wait_until

AT_ONCE, LONG = 0.0, 0.4
DEADLINE_SECONDS = 30


class Work:
    """Makes a text of itself, once the gate is open; `made` holds what was begun, in order."""

    def __init__(self) -> None:
        self.gate = Event()
        self.made: list[str] = []

    def order(self, key: str, version: int = 1, *, seconds: float = LONG, fails: Exception | None = None) -> Order[str]:
        def make() -> str:
            self.made.append(f"{key}{version}")
            assert self.gate.wait(DEADLINE_SECONDS)
            if fails is not None:
                raise fails
            return f"{key}{version}"

        return Order(key=key, version=version, make=make, seconds=seconds, title=f"The {key}")

    def opened(self) -> "Work":
        self.gate.set()
        return self


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
def background(work: Work) -> Iterator[Background]:
    opened = Background(patience_seconds=0, rest=0)
    yield opened
    work.gate.set()
    opened.close()


def there(background: Background, order: Order[str]) -> Callable[[], bool]:
    """Whether the order's own version is finished; asking is what keeps it wanted."""

    def finished() -> bool:
        try:
            return background.get(order) == f"{order.key}{order.version}"
        except BeingRated:
            return False

    return finished


def test_short_work_is_done_at_once_and_once_per_version(background: Background, work: Work) -> None:
    work.gate.set()
    order = work.order("a", seconds=AT_ONCE)

    assert [background.get(order), background.get(order)] == ["a1", "a1"]
    assert background.get(work.order("a", 2, seconds=AT_ONCE)) == "a2"
    assert work.made == ["a1", "a2"]


def test_many_who_ask_at_once_wait_for_the_one_who_makes_it(background: Background, work: Work) -> None:
    got: list[str] = []
    order = work.order("a", seconds=AT_ONCE)
    threads = [Thread(target=lambda: got.append(background.get(order))) for _ in range(8)]
    for thread in threads:
        thread.start()
    wait_until(lambda: work.made)
    work.gate.set()
    for thread in threads:
        thread.join(DEADLINE_SECONDS)

    assert (got, work.made) == (["a1"] * 8, ["a1"])


def test_long_work_is_refused_with_its_name_until_it_is_done(background: Background, work: Work) -> None:
    order = work.order("table")

    with pytest.raises(BeingRated, match="The table is being computed"):
        background.get(order)
    work.gate.set()

    wait_until(there(background, order))
    assert work.made == ["table1"]


def test_the_clock_tells_how_far_long_work_is(background: Background, work: Work) -> None:
    running, waiting = work.order("a"), work.order("b")
    shares: list[float] = []

    def ask() -> float:
        with pytest.raises(BeingRated) as refused:
            background.get(running)
        shares.append(refused.value.share)
        return shares[-1]

    wait_until(lambda: ask() == 1.0)
    with pytest.raises(BeingRated) as refused:
        background.get(waiting)

    assert shares == sorted(shares)
    assert refused.value.share == 0.0


def test_the_old_result_serves_while_the_new_one_is_made(background: Background, work: Work) -> None:
    assert background.get(work.opened().order("a"), wait=True) == "a1"
    work.gate.clear()

    assert background.get(work.order("a", 2)) == "a1"
    wait_until(lambda: work.made == ["a1", "a2"])
    assert background.get(work.order("a", 2)) == "a1"

    work.gate.set()
    wait_until(there(background, work.order("a", 2)))


def test_what_proved_to_be_short_is_done_at_once_whatever_was_expected(work: Work) -> None:
    background = Background(patience_seconds=DEADLINE_SECONDS)
    work.gate.set()
    background.get(work.order("a", seconds=DEADLINE_SECONDS + 1.0), wait=True)

    assert background.get(work.order("a", 2, seconds=DEADLINE_SECONDS + 1.0)) == "a2"


def test_whoever_waits_gets_the_newest_at_once(background: Background, work: Work) -> None:
    work.gate.set()

    assert background.get(work.order("a"), wait=True) == "a1"
    assert background.get(work.order("a", 2), wait=True) == "a2"


def test_the_newest_request_comes_first_and_one_after_the_other(background: Background, work: Work) -> None:
    orders = [work.order(key) for key in "abc"]
    for order in orders:
        with pytest.raises(BeingRated):
            background.get(order)
        wait_until(lambda: work.made == ["a1"])

    work.gate.set()
    wait_until(lambda: len(work.made) == 3)

    assert work.made == ["a1", "c1", "b1"]


def test_what_was_just_made_rests_before_it_is_made_anew(work: Work) -> None:
    background = Background(patience_seconds=0, rest=1e9)
    background.get(work.opened().order("a"), wait=True)
    work.gate.clear()
    with pytest.raises(BeingRated):
        background.get(work.order("c"))
    wait_until(lambda: work.made == ["a1", "c1"])
    with pytest.raises(BeingRated):
        background.get(work.order("b"))
    background.get(work.order("a", 2))

    work.gate.set()
    wait_until(there(background, work.order("b")))

    assert work.made == ["a1", "c1", "b1"]
    background.close()


def test_an_older_result_of_what_hardly_changes_serves_for_a_while(background: Background, work: Work) -> None:
    work.gate.set()
    first, second = (
        replace(work.order("a", version, seconds=AT_ONCE), rest=rest) for version, rest in ((1, 0.0), (2, 1e9))
    )
    background.get(first)

    assert background.get(second) == "a1"
    assert background.get(replace(second, rest=0.0)) == "a2"


def test_what_nobody_asks_for_any_more_is_forgotten(work: Work) -> None:
    background = Background(patience_seconds=0, forget_seconds=0.2)
    for key in "ab":
        with pytest.raises(BeingRated):
            background.get(work.order(key))
        wait_until(lambda: work.made == ["a1"])
    wanted = there(background, work.order("c"))
    enough = monotonic() + 0.3
    wait_until(lambda: not wanted() and monotonic() > enough)

    work.gate.set()
    wait_until(wanted)

    assert work.made == ["a1", "c1"]
    background.close()


def test_a_newer_version_replaces_a_request_that_waits(background: Background, work: Work) -> None:
    for order in (work.order("a"), work.order("b", 1), work.order("b", 2)):
        with pytest.raises(BeingRated):
            background.get(order)
        wait_until(lambda: work.made == ["a1"])

    work.gate.set()
    wait_until(there(background, work.order("b", 2)))

    assert work.made == ["a1", "b2"]


def test_what_cannot_be_rated_is_a_result_like_any_other(background: Background, work: Work) -> None:
    order = work.order("a", fails=CannotRate("There are no votes."))
    with pytest.raises(BeingRated):
        background.get(order)
    work.gate.set()

    def refused() -> bool:
        with pytest.raises((BeingRated, CannotRate)) as error:
            background.get(order)
        return str(error.value) == "There are no votes."

    wait_until(refused)
    assert work.made == ["a1"]


def test_a_fault_is_logged_told_and_tried_again_later(
    background: Background, work: Work, caplog: pytest.LogCaptureFixture
) -> None:
    order = work.order("a", fails=ZeroDivisionError("a fault"))
    with pytest.raises(BeingRated):
        background.get(order)
    work.gate.set()

    def failed() -> bool:
        with pytest.raises((BeingRated, CannotRate)) as error:
            background.get(order)
        return str(error.value) == FAILED

    with caplog.at_level(logging.ERROR):
        wait_until(failed)

    assert "a fault" in caplog.text
    assert work.made == ["a1"]


def test_a_fault_in_short_work_reaches_whoever_asked(background: Background, work: Work) -> None:
    work.gate.set()

    with pytest.raises(ZeroDivisionError):
        background.get(work.order("a", seconds=AT_ONCE, fails=ZeroDivisionError()))
    assert background.get(work.order("a", seconds=AT_ONCE)) == "a1"


def test_closing_while_something_is_made_ends_promptly_and_forgets_the_rest(work: Work) -> None:
    background = Background()
    for order in (work.order("a"), work.order("b")):
        with pytest.raises(BeingRated):
            background.get(order)
        wait_until(lambda: work.made == ["a1"])

    background.close()

    thread = background._thread
    assert thread is not None
    assert thread.is_alive(), "it was not waited for"
    work.gate.set()
    thread.join(DEADLINE_SECONDS)
    assert not thread.is_alive()
    assert work.made == ["a1"]


def test_nothing_is_begun_after_closing(work: Work) -> None:
    background = Background()
    background.close()

    with pytest.raises(BeingRated):
        background.get(work.order("a"))

    assert (background._thread, work.made) == (None, [])
