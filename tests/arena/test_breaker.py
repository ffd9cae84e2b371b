from arena.breaker import LONGEST_PAUSE_SECONDS, Breakers, BreakerSettings
from arena.domain import Fault


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


SETTINGS = BreakerSettings(failures=3, window_seconds=100, pause_seconds=60)


def _breakers() -> tuple[Breakers, Clock]:
    clock = Clock()
    return Breakers(SETTINGS, clock=clock), clock


def test_a_model_rests_after_repeated_failures_and_not_before() -> None:
    breakers, _ = _breakers()

    begins = [breakers.record("m", Fault.OVERLOADED) for _ in range(3)]

    assert begins == [False, False, True]
    rest = breakers.resting()["m"]
    assert (rest.fault, rest.failures) == (Fault.OVERLOADED, 3)
    assert (rest.probe_at - rest.since).total_seconds() == 60


def test_an_answer_in_between_begins_the_count_anew() -> None:
    breakers, _ = _breakers()

    for fault in (Fault.SILENT, Fault.SILENT, None, Fault.SILENT, Fault.SILENT):
        breakers.record("m", fault)

    assert not breakers.resting()


def test_failures_that_lie_far_apart_are_not_repeated() -> None:
    breakers, clock = _breakers()

    for _ in range(5):
        breakers.record("m", Fault.SILENT)
        clock.now += 101

    assert not breakers.resting()


def test_a_refused_key_rests_a_model_at_once() -> None:
    breakers, _ = _breakers()

    assert breakers.record("m", Fault.REFUSED_KEY)


def test_what_the_prompt_brought_about_is_not_the_models_fault() -> None:
    breakers, _ = _breakers()

    for _ in range(9):
        breakers.record("m", Fault.CONTENT_FILTER)

    assert not breakers.resting()


def test_only_the_model_that_fails_rests() -> None:
    breakers, _ = _breakers()

    breakers.record("other", Fault.QUOTA)

    assert breakers.resting().keys() == {"other"}


def test_a_rested_model_is_due_once_when_its_pause_is_over() -> None:
    breakers, clock = _breakers()
    breakers.record("m", Fault.QUOTA)

    early, clock.now = breakers.due(), clock.now + 60

    assert early == ()
    assert [breakers.due(), breakers.due()] == [("m",), ()]


def test_a_probe_that_is_answered_lets_it_play_again() -> None:
    breakers, _ = _breakers()
    breakers.record("m", Fault.QUOTA)

    breakers.probed("m", None)

    assert not breakers.resting()


def test_a_probe_that_fails_doubles_the_pause_up_to_a_bound() -> None:
    breakers, clock = _breakers()
    breakers.record("m", Fault.QUOTA)
    pauses = []
    for _ in range(6):
        breakers.probed("m", Fault.UNREACHABLE)
        start = clock.now
        while not breakers.due():
            clock.now += 1
        pauses.append(clock.now - start)

    assert pauses == [120, 240, 480, 900, 900, LONGEST_PAUSE_SECONDS]
    assert breakers.resting()["m"].fault is Fault.UNREACHABLE


def test_a_failure_that_was_on_its_way_when_the_rest_began_changes_nothing() -> None:
    breakers, _ = _breakers()
    breakers.record("m", Fault.QUOTA)
    before = breakers.resting()["m"].failures

    assert not breakers.record("m", Fault.SILENT)
    assert breakers.resting()["m"].failures == before


def test_an_answer_that_was_on_its_way_ends_the_rest() -> None:
    breakers, _ = _breakers()
    breakers.record("m", Fault.QUOTA)

    breakers.record("m", None)

    assert not breakers.resting()


def test_the_probe_of_a_model_that_plays_again_says_nothing_new() -> None:
    breakers, _ = _breakers()

    breakers.probed("m", Fault.SILENT)

    assert not breakers.resting()


def test_without_a_number_of_failures_no_model_rests() -> None:
    breakers = Breakers(BreakerSettings(failures=0))

    assert not any(breakers.record("m", Fault.QUOTA) for _ in range(9))
    assert not breakers.resting()
