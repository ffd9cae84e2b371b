import pytest

from arena.numerals import count, verb


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 votes count"), (1, "1 vote counts"), (2, "2 votes count"), (1204, "1,204 votes count")]
)
def test_a_number_agrees_with_its_thing_and_its_verb(number: int, said: str) -> None:
    assert f"{count(number, 'vote')} {verb(number, 'counts', 'count')}" == said


def test_a_plural_may_be_its_own() -> None:
    assert [count(number, "entry", "entries") for number in (1, 2)] == ["1 entry", "2 entries"]
