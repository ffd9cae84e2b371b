from itertools import chain, repeat

import pytest

from benchmarks.replicas import Watcher, measure


def test_an_answer_is_as_late_as_it_was_first_given() -> None:
    answers = chain([3, 3, 2], repeat(3))
    with Watcher(lambda: next(answers)) as watcher:
        began = watcher.first(3, since=0.0)
        changed = watcher.first(2, since=began)
        back = watcher.first(3, since=changed)

        assert began < changed < back
        assert watcher.first(3, since=0.0) == began


@pytest.mark.parametrize(("seconds", "met"), [([0.1, 0.3, 2.0], True), ([0.1, 0.1, 2.1], False)])
def test_what_is_to_reach_holds_for_the_slowest(seconds: list[float], met: bool) -> None:
    row = measure("board", seconds)

    assert (row.times, row.median_seconds, row.met) == (3, seconds[1], met)
