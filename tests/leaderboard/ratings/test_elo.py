import math
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.games import Game, Games
from leaderboard.ratings.elo import EloSettings, elo_change, expected_score, fold_elo
from leaderboard.verdicts import Verdict, score_a

FASTCHAT = EloSettings(k=4.0)
LIVE = EloSettings()
MIRROR = {Verdict.A: Verdict.B, Verdict.B: Verdict.A, Verdict.TIE: Verdict.TIE, Verdict.BOTH_BAD: Verdict.BOTH_BAD}
RATING = st.floats(-1e4, 1e4)
SCORE = st.sampled_from([0.0, 0.5, 1.0])
PAIRS = st.lists(st.sampled_from("uvwxyz"), min_size=2, max_size=2, unique=True)
VOTES = st.lists(
    st.builds(lambda pair, verdict: Game(pair[0], pair[1], verdict), PAIRS, st.sampled_from(Verdict)), max_size=60
)


def _plain_loop(votes: list[Game], *, k: float) -> dict[str, float]:
    """FastChat's `compute_elo`, written from its formula: both expectations, each side updated on its own."""
    ratings: dict[str, float] = defaultdict(lambda: 1000.0)
    for a, b, verdict in votes:
        r_a, r_b = ratings[a], ratings[b]
        s_a = {Verdict.A: 1.0, Verdict.B: 0.0}.get(verdict, 0.5)
        ratings[a] = r_a + k * (s_a - 1 / (1 + 10 ** ((r_b - r_a) / 400)))
        ratings[b] = r_b + k * ((1 - s_a) - 1 / (1 + 10 ** ((r_a - r_b) / 400)))
    return dict(ratings)


def test_the_defaults_are_the_live_boards() -> None:
    assert (LIVE.k, LIVE.start, LIVE.scale) == (32.0, 1000.0, 400.0)


@pytest.mark.parametrize(
    "wrong", [{"k": 0.0}, {"k": -4.0}, {"k": math.nan}, {"scale": 0.0}, {"scale": math.inf}, {"start": math.inf}]
)
def test_settings_that_make_no_rating_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="Elo settings"):
        EloSettings(**wrong)


def test_two_votes_at_fastchats_setting_come_out_as_by_hand() -> None:
    # x beats y from 1000 each: E = 1/2, so x = 1000 + 4 * 1/2 = 1002 and y = 998.
    # Then y, on the left, beats x: E_y = 1 / (1 + 10 ** (4/400)) = 1 / (1 + 1.0232929923) = 0.4942437916,
    # so y gains 4 * (1 - 0.4942437916) = 2.0230248336: y = 1000.0230248336, x = 999.9769751664.
    votes = [Game("x", "y", Verdict.A), Game("y", "x", Verdict.A)]

    result = fold_elo(Games.from_votes(votes), settings=FASTCHAT)

    assert result.ratings == pytest.approx({"x": 999.9769751664, "y": 1000.0230248336}, abs=1e-9)
    assert result.settings == FASTCHAT
    assert result.votes == 2


@pytest.mark.parametrize("k", [4.0, 32.0])
def test_real_votes_come_out_as_in_fastchats_plain_loop(llmfao_votes: list[Game], k: float) -> None:
    result = fold_elo(Games.from_votes(llmfao_votes), settings=EloSettings(k=k))

    assert result.votes == 8931
    assert len(result.ratings) == 59
    assert result.ratings == pytest.approx(_plain_loop(llmfao_votes, k=k), abs=1e-6)


def test_real_votes_keep_the_sum_of_all_ratings(llmfao_votes: list[Game]) -> None:
    result = fold_elo(Games.from_votes(llmfao_votes), settings=LIVE)

    assert math.fsum(result.ratings.values()) == pytest.approx(59 * 1000.0, abs=1e-6)


def test_a_writer_that_adds_each_change_is_bit_for_bit_at_the_replay(llmfao_votes: list[Game]) -> None:
    kept: dict[str, float] = defaultdict(lambda: LIVE.start)
    for a, b, verdict in llmfao_votes:
        change = elo_change(kept[a], kept[b], score_a(verdict), settings=LIVE)
        kept[a] += change
        kept[b] -= change

    replayed = fold_elo(Games.from_votes(llmfao_votes), settings=LIVE)

    assert {name: rating.hex() for name, rating in replayed.ratings.items()} == {
        name: rating.hex() for name, rating in kept.items()
    }


def test_going_on_from_a_checkpoint_is_bit_for_bit_at_the_whole_replay(llmfao_votes: list[Game]) -> None:
    names = sorted({name for game in llmfao_votes for name in game[:2]})
    whole = fold_elo(Games.from_votes(llmfao_votes, names=names), settings=LIVE)
    first = fold_elo(Games.from_votes(llmfao_votes[:5000]), settings=LIVE)

    second = fold_elo(Games.from_votes(llmfao_votes[5000:]), settings=LIVE, ratings=first.ratings)

    assert dict(second.ratings) == dict(whole.ratings)


def test_a_fold_from_a_huge_gap_overflows_nothing() -> None:
    games = Games.from_votes([Game("x", "y", Verdict.A), Game("y", "x", Verdict.A)], names=["x", "y"])

    ratings = fold_elo(games, settings=LIVE, ratings={"x": -1e9, "y": 1e9}).ratings

    # The first vote is a whole K against all odds, the second is what everybody expected.
    assert dict(ratings) == {"x": -1e9 + 32.0, "y": 1e9 - 32.0}


def test_models_of_the_checkpoint_that_did_not_play_stay_where_they_are() -> None:
    games = Games.from_votes([Game("x", "y", Verdict.A)])

    result = fold_elo(games, settings=LIVE, ratings={"idle": 1234.5, "x": 1100.0, "y": 1100.0})

    assert result.ratings == {"idle": 1234.5, "x": 1116.0, "y": 1084.0}


def test_no_games_leave_everybody_at_the_start() -> None:
    result = fold_elo(Games.from_votes([], names=["x", "y"]), settings=EloSettings(start=1500.0))

    assert result.ratings == {"x": 1500.0, "y": 1500.0}
    assert result.votes == 0


def test_a_result_cannot_be_changed() -> None:
    result = fold_elo(Games.from_votes([], names=["x"]), settings=LIVE)

    with pytest.raises(TypeError):
        result.ratings["x"] = 2000.0  # type: ignore[index]


@pytest.mark.parametrize(("rating", "opponent", "limit"), [(1e9, -1e9, 1.0), (-1e9, 1e9, 0.0), (-1e308, 1e308, 0.0)])
def test_a_huge_gap_overflows_nothing(rating: float, opponent: float, limit: float) -> None:
    assert expected_score(rating, opponent, scale=400.0) == pytest.approx(limit, abs=1e-12)


@given(RATING, RATING)
def test_the_expected_scores_of_both_sides_sum_to_1(rating: float, opponent: float) -> None:
    both = expected_score(rating, opponent, scale=400.0) + expected_score(opponent, rating, scale=400.0)

    assert both == pytest.approx(1.0, abs=1e-12)


@given(RATING, RATING, RATING)
def test_a_higher_rating_never_lowers_the_expected_score(one: float, other: float, opponent: float) -> None:
    low, high = sorted([one, other])

    assert expected_score(low, opponent, scale=400.0) <= expected_score(high, opponent, scale=400.0)


@given(RATING, RATING, st.floats(-1e3, 1e3))
def test_only_the_difference_of_the_ratings_counts(rating: float, opponent: float, shift: float) -> None:
    shifted = expected_score(rating + shift, opponent + shift, scale=400.0)

    assert shifted == pytest.approx(expected_score(rating, opponent, scale=400.0), abs=1e-9)


@given(RATING, RATING, SCORE)
def test_swapping_the_seats_turns_the_change_round(rating_a: float, rating_b: float, score: float) -> None:
    change = elo_change(rating_a, rating_b, score, settings=LIVE)

    assert elo_change(rating_b, rating_a, 1.0 - score, settings=LIVE) == pytest.approx(-change, abs=1e-9)


@given(RATING, RATING)
def test_a_win_gains_a_loss_costs_and_neither_moves_more_than_k(rating_a: float, rating_b: float) -> None:
    won, tied, lost = (elo_change(rating_a, rating_b, score, settings=LIVE) for score in (1.0, 0.5, 0.0))

    assert -32.0 <= lost < tied < won <= 32.0
    assert lost <= 0.0 <= won


@given(st.floats(-3e3, 3e3))
def test_a_tie_between_equals_moves_nobody(rating: float) -> None:
    assert elo_change(rating, rating, 0.5, settings=LIVE) == 0.0


@given(VOTES, st.sampled_from([FASTCHAT, LIVE]))
def test_what_one_wins_another_loses(votes: list[Game], settings: EloSettings) -> None:
    ratings = fold_elo(Games.from_votes(votes), settings=settings).ratings

    assert math.fsum(ratings.values()) == pytest.approx(1000.0 * len(ratings), abs=1e-6)


@given(VOTES)
def test_swapping_all_seats_changes_no_rating(votes: list[Game]) -> None:
    swapped = [Game(b, a, MIRROR[verdict]) for a, b, verdict in votes]

    ratings = fold_elo(Games.from_votes(swapped), settings=LIVE).ratings

    assert ratings == pytest.approx(dict(fold_elo(Games.from_votes(votes), settings=LIVE).ratings), abs=1e-9)
