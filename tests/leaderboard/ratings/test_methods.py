"""What every line of METHODS promises; a new method is tested here by being in the table."""

import math
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.estimate import Anchor
from leaderboard.games import Game, Games, PairCounts
from leaderboard.method import Evidence, Method, OrderUnknown, Rated, StyleUnknown
from leaderboard.ratings import METHODS
from leaderboard.style import STYLE_UNKNOWN, GameStyles, Style
from leaderboard.verdicts import Verdict

NAMES = ("u", "v", "w", "x", "y", "z")
MIRROR = {Verdict.A: Verdict.B, Verdict.B: Verdict.A, Verdict.TIE: Verdict.TIE, Verdict.BOTH_BAD: Verdict.BOTH_BAD}
PAIRS = st.lists(st.sampled_from(NAMES), min_size=2, max_size=2, unique=True)
VOTES = st.lists(
    st.builds(lambda pair, verdict: Game(pair[0], pair[1], verdict), PAIRS, st.sampled_from(Verdict)), max_size=40
)
WITH_ESTIMATES = {key: method for key, method in METHODS.items() if method.has_interval}

every_method = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS.keys())
every_order_free_method = pytest.mark.parametrize(
    "method", [method for key, method in METHODS.items() if key != "elo"], ids=[key for key in METHODS if key != "elo"]
)
every_method_with_intervals = pytest.mark.parametrize("method", WITH_ESTIMATES.values(), ids=WITH_ESTIMATES.keys())


def _evidence(votes: Sequence[Game], names: tuple[str, ...] = NAMES) -> Evidence:
    """Games with styles that say nothing about who wins, and depend on the vote alone."""
    styles = [(Style(i % 7, i % 3, i % 5, 0), Style(i % 4, i % 2, i % 6, 1)) for i in range(len(votes))]
    return _styled(votes, styles, names)


def _styled(votes: Sequence[Game], styles: Sequence[tuple[Style, Style]], names: tuple[str, ...] = NAMES) -> Evidence:
    sides = GameStyles.from_styles([a for a, _ in styles], [b for _, b in styles])
    return Evidence.from_games(Games.from_votes(votes, names=names), styles=sides)


def _plain(votes: Sequence[Game], names: tuple[str, ...] = NAMES) -> Evidence:
    """All answers are written alike."""
    return _styled(votes, [(Style(9, 1, 1, 1), Style(9, 1, 1, 1))] * len(votes), names)


def _same(rated: Rated, other: Rated) -> None:
    assert dict(rated.ratings) == pytest.approx(dict(other.ratings), abs=1e-6)


@every_method
@given(votes=VOTES)
def test_every_model_gets_a_finite_rating(method: Method, votes: list[Game]) -> None:
    rated = method.rate(_evidence(votes))

    assert set(rated.ratings) == set(NAMES)
    assert all(math.isfinite(rating) for rating in rated.ratings.values())
    assert rated.votes == len(votes)


@every_method
def test_a_result_says_how_it_was_made(method: Method) -> None:
    evidence = replace(_evidence([Game("u", "v", Verdict.A)]), left_out={"leaked": 3}, version=17)

    rated = method.rate(evidence)

    assert METHODS[rated.method] is method
    assert (rated.votes, dict(rated.left_out), rated.version) == (1, {"leaked": 3}, 17)
    assert rated.settings == type(rated.settings)()


@every_method
def test_a_method_says_whether_its_results_have_intervals(method: Method) -> None:
    rated = method.rate(_evidence([Game("u", "v", Verdict.A)]))

    assert (rated.estimate is not None) == method.has_interval


@every_method
def test_a_result_cannot_be_changed(method: Method) -> None:
    rated = method.rate(_evidence([Game("u", "v", Verdict.A)]))

    with pytest.raises(AttributeError):
        rated.votes = 2  # type: ignore[misc]
    with pytest.raises(TypeError):
        rated.ratings["u"] = 0.0  # type: ignore[index]
    if rated.estimate is not None:
        with pytest.raises(ValueError, match="read-only"):
            rated.estimate.points[0] = 0.0


@every_method
@given(votes=VOTES, order=st.permutations(NAMES))
def test_the_order_of_the_names_changes_no_rating(method: Method, votes: list[Game], order: list[str]) -> None:
    _same(method.rate(_evidence(votes, names=tuple(order))), method.rate(_evidence(votes)))


@every_method
@given(votes=VOTES)
def test_new_names_for_the_models_change_no_rating(method: Method, votes: list[Game]) -> None:
    renamed = [Game(f"{a}:1.5[{a}]", f"{b}:1.5[{b}]", verdict) for a, b, verdict in votes]
    names = tuple(f"{name}:1.5[{name}]" for name in NAMES)

    ratings = method.rate(_evidence(renamed, names=names)).ratings

    assert list(ratings.values()) == pytest.approx(list(method.rate(_evidence(votes)).ratings.values()), abs=1e-6)


@every_method
@given(votes=VOTES)
def test_swapping_all_sides_changes_no_rating(method: Method, votes: list[Game]) -> None:
    evidence = _evidence(votes)
    swapped = [Game(b, a, MIRROR[verdict]) for a, b, verdict in votes]
    styles = evidence.with_style()
    turned = GameStyles(side_a=styles.side_b, side_b=styles.side_a)

    rated = method.rate(Evidence.from_games(Games.from_votes(swapped, names=NAMES), styles=turned))

    _same(rated, method.rate(evidence))


@every_order_free_method
@given(votes=VOTES, seed=st.integers(0, 99))
def test_the_order_of_the_votes_changes_no_rating(method: Method, votes: list[Game], seed: int) -> None:
    styles = [(Style(len(vote.model_a), 1, i % 2, 0), Style(i % 5, 0, 2, 0)) for i, vote in enumerate(votes)]
    shuffled = list(zip(votes, styles, strict=True))
    random.Random(seed).shuffle(shuffled)

    rated = method.rate(_styled([vote for vote, _ in shuffled], [style for _, style in shuffled]))

    _same(rated, method.rate(_styled(votes, styles)))


@every_method
def test_a_tie_between_equals_leaves_them_equal(method: Method) -> None:
    ratings = method.rate(_evidence([Game("u", "v", Verdict.TIE)])).ratings

    assert ratings["u"] == pytest.approx(ratings["v"], abs=1e-9)


@every_method
def test_the_winner_leads(method: Method) -> None:
    ratings = method.rate(_plain([Game("u", "v", Verdict.A), Game("w", "u", Verdict.B)])).ratings

    assert ratings["u"] > max(ratings["v"], ratings["w"])


@every_method
@given(votes=VOTES, shift=st.floats(-2000.0, 2000.0))
def test_another_start_shifts_all_ratings_alike(method: Method, votes: list[Game], shift: float) -> None:
    rated = method.rate(_evidence(votes))

    shifted = method.rate(_evidence(votes), settings=_with(rated, start=1000.0 + shift))

    assert [r - shift for r in shifted.ratings.values()] == pytest.approx(list(rated.ratings.values()), abs=1e-6)


@every_method
@given(votes=VOTES, factor=st.floats(0.1, 10.0))
def test_another_scale_stretches_all_distances_alike(method: Method, votes: list[Game], factor: float) -> None:
    rated = method.rate(_evidence(votes))
    # Elo's K is in points as well.
    k = {"k": 32.0 * factor} if hasattr(rated.settings, "k") else {}

    stretched = method.rate(_evidence(votes), settings=_with(rated, scale=400.0 * factor, **k))

    distances = [(rating - 1000.0) / factor for rating in stretched.ratings.values()]
    assert distances == pytest.approx([rating - 1000.0 for rating in rated.ratings.values()], abs=1e-6)


@every_method_with_intervals
@given(votes=VOTES, score=st.floats(-2000.0, 4000.0))
def test_an_anchor_has_its_score_and_changes_no_distance(method: Method, votes: list[Game], score: float) -> None:
    rated = method.rate(_evidence(votes))

    anchored = method.rate(_evidence(votes), settings=_with(rated, anchor=Anchor("w", score)))

    shift = score - rated.ratings["w"]
    assert anchored.ratings["w"] == pytest.approx(score, abs=1e-9)
    assert [r - shift for r in anchored.ratings.values()] == pytest.approx(list(rated.ratings.values()), abs=1e-6)


@every_method_with_intervals
def test_an_anchor_that_is_not_on_the_board_is_refused_by_name(method: Method) -> None:
    settings = _with(method.rate(_evidence([])), anchor=Anchor("nobody", 1114.0))

    with pytest.raises(ValueError, match="'nobody'"):
        method.rate(_evidence([]), settings=settings)


@every_method_with_intervals
@pytest.mark.parametrize("wrong", [{"prior": -1.0}, {"scale": 0.0}, {"start": math.nan}, {"level": 1.0}])
def test_settings_that_make_no_rating_are_refused(method: Method, wrong: dict[str, float]) -> None:
    rated = method.rate(_evidence([]))

    with pytest.raises(ValueError, match=r"prior|scale|between 0 and 1"):
        _with(rated, **wrong)


@every_method_with_intervals
@given(votes=VOTES)
def test_every_interval_is_finite_has_a_width_and_holds_its_rating(method: Method, votes: list[Game]) -> None:
    estimate = method.rate(_evidence(votes)).estimate

    assert estimate is not None
    assert (estimate.lower < estimate.points).all()
    assert (estimate.points < estimate.upper).all()
    assert math.isfinite(float(estimate.upper.max() - estimate.lower.min()))
    assert estimate.covariance.sum(axis=1) == pytest.approx([0.0] * len(NAMES), abs=1e-3)


@every_method_with_intervals
def test_twenty_ties_in_a_row_are_no_certainty(method: Method) -> None:
    estimate = method.rate(_plain([Game("u", "v", Verdict.TIE)] * 20, ("u", "v"))).estimate

    assert estimate is not None
    assert estimate.points == pytest.approx([1000.0, 1000.0])
    assert estimate.upper[0] - estimate.points[0] > 10.0


@every_method
def test_an_undefeated_model_leads_by_a_finite_distance_and_the_rest_are_not_lost(method: Method) -> None:
    even = [Game(a, b, verdict) for a, b in ("uv", "vw", "wu") for verdict in (Verdict.A, Verdict.B)]

    ratings = method.rate(_plain([*even, *[Game("x", "u", Verdict.A)] * 10], ("u", "v", "w", "x"))).ratings

    assert ratings["x"] > max(ratings["v"], ratings["w"]) > ratings["u"]
    assert ratings["x"] - ratings["u"] < 2000.0


@every_method
def test_one_vote_parts_the_two_models_and_is_called_uncertain(method: Method) -> None:
    rated = method.rate(_plain([Game("u", "v", Verdict.A)], ("u", "v")))

    assert rated.ratings["u"] > rated.ratings["v"]
    if rated.estimate is not None:
        gap = rated.estimate.difference("u", "v")
        assert gap.lower < 0.0 < gap.upper


@every_method_with_intervals
def test_groups_that_never_met_are_told(method: Method) -> None:
    rated: Any = method.rate(_plain([Game("u", "v", Verdict.A)] * 9 + [Game("x", "w", Verdict.A)], tuple("uvwx")))

    assert rated.groups == (("u", "v"), ("w", "x"))


@every_method
@given(names=st.sampled_from([(), ("u",), ("u", "v")]))
def test_a_board_without_votes_is_no_error(method: Method, names: tuple[str, ...]) -> None:
    rated = method.rate(_evidence([], names=names))

    assert dict(rated.ratings) == dict.fromkeys(names, 1000.0)


@pytest.mark.parametrize("method", [method for method in METHODS.values() if method.needs_order])
def test_a_method_that_needs_the_order_says_so_when_it_is_unknown(method: Method) -> None:
    counts_only = Evidence(counts=PairCounts.from_tallies(NAMES, []))

    with pytest.raises(OrderUnknown, match="order-free"):
        method.rate(counts_only)
    assert "their order" in str(method.cannot_rate(counts_only))


@pytest.mark.parametrize("method", [method for method in METHODS.values() if method.needs_style])
def test_a_method_that_needs_styles_says_so_when_nobody_counted(method: Method) -> None:
    unstyled = Evidence.from_games(Games.from_votes([], names=NAMES))

    with pytest.raises(StyleUnknown, match="another method"):
        method.rate(unstyled)
    assert "written" in str(method.cannot_rate(unstyled))


@pytest.mark.parametrize("method", [method for method in METHODS.values() if method.needs_style])
def test_a_method_that_needs_styles_says_so_when_no_vote_has_one(method: Method) -> None:
    games = Games.from_votes([Game("a", "b", Verdict.A)])
    one_side = GameStyles.from_styles([Style(1, 0, 0, 0)], [STYLE_UNKNOWN])

    assert "written" in str(method.cannot_rate(Evidence.from_games(games, styles=one_side)))


@every_method
def test_a_method_takes_what_it_can_rate(method: Method) -> None:
    assert method.cannot_rate(_evidence([])) is None


def test_styles_of_other_games_are_refused() -> None:
    styles = GameStyles.from_styles([Style(1, 0, 0, 0)], [Style(1, 0, 0, 0)])

    with pytest.raises(ValueError, match="1 games stand beside 0 games"):
        Evidence.from_games(Games.from_votes([], names=NAMES), styles=styles)
    with pytest.raises(ValueError, match="no games"):
        Evidence(counts=PairCounts.from_tallies(NAMES, []), styles=styles)


def _with(rated: Rated, **changes: object) -> object:
    return replace(rated.settings, **changes)  # type: ignore[type-var]
