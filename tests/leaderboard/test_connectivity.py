import pytest

from leaderboard.connectivity import (
    JoiningBattle,
    apart,
    chain,
    groups,
    joining_battles,
    preliminary,
    without_maximum,
)
from leaderboard.games import PairCounts, Tally
from leaderboard.verdicts import Verdict


def _counts(*pairs: str, names: str = "uvwxyz", verdict: Verdict = Verdict.TIE) -> PairCounts:
    """One battle for each pair of letters."""
    return PairCounts.from_tallies(list(names), [Tally(pair[0], pair[1], verdict, 1) for pair in pairs])


TWO_GROUPS = _counts("uv", "vw", "wx", "yz")


def test_battles_join_models_directly_and_through_others() -> None:
    assert groups(TWO_GROUPS) == (("u", "v", "w", "x"), ("y", "z"))


def test_a_model_without_battles_is_alone() -> None:
    assert groups(_counts("uv", names="uvw")) == (("u", "v"), ("w",))


def test_an_empty_board_has_no_groups() -> None:
    assert groups(_counts(names="")) == ()
    assert without_maximum(_counts(names="")) is None


def test_models_of_two_groups_are_apart_and_the_sentence_names_them() -> None:
    parts = groups(TWO_GROUPS)

    assert apart(parts, "u", "z") == "u and z have never met, not even through others."
    assert apart(parts, "u", "x") is None


def test_a_model_of_no_group_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'nobody'"):
        apart(groups(TWO_GROUPS), "u", "nobody")


def test_a_chain_is_the_shortest_way_over_models_that_met() -> None:
    counts = _counts("uv", "vw", "wx", "vx", "yz")

    assert chain(counts, "u", "x") == ("u", "v", "x")
    assert chain(counts, "u", "v") == ("u", "v")
    assert chain(counts, "u", "u") == ("u",)
    assert chain(counts, "u", "z") == ()


def test_the_suggested_battles_join_the_board() -> None:
    counts = _counts("uv", "vw", "yz", names="uvwxyz")

    suggested = joining_battles(counts)

    assert suggested == (JoiningBattle(model_a="v", model_b="y"), JoiningBattle(model_a="v", model_b="x"))
    joined = _counts("uv", "vw", "yz", *(battle.model_a + battle.model_b for battle in suggested))
    assert len(groups(joined)) == 1
    assert joining_battles(joined) == ()


def test_models_with_few_battles_are_preliminary() -> None:
    counts = PairCounts.from_tallies(
        ["x", "y", "z"], [Tally("x", "y", Verdict.A, 29), Tally("x", "z", Verdict.TIE, 30)]
    )

    assert preliminary(counts) == {"y"}
    assert preliminary(counts, below=31) == {"y", "z"}


@pytest.mark.parametrize(
    ("counts", "names"),
    [
        (_counts("uv", "vw", "wu", names="uvw", verdict=Verdict.A), None),
        (_counts("uv", "vw", names="uvw", verdict=Verdict.A), "u"),
        (_counts("uv", "vw", names="uvw", verdict=Verdict.B), "u"),
        (TWO_GROUPS, "never met"),
    ],
)
def test_a_board_has_a_maximum_when_points_flow_between_all(counts: PairCounts, names: str | None) -> None:
    why = without_maximum(counts)

    assert (why is None) == (names is None)
    assert names is None or names in str(why)
