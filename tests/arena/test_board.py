from datetime import UTC, datetime

import pytest

from arena.board import Board, board_of
from arena.domain import ModelSpec
from arena.errors import UnknownModel
from arena.store import BoardRows, StoredModel
from leaderboard import EloSettings, Tally, Verdict

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def board(*specs: ModelSpec) -> Board:
    rows = BoardRows(
        version=7,
        elo=EloSettings(),
        models=tuple(StoredModel(spec=spec, fingerprint="", created_at=NOW, retired_at=None) for spec in specs),
        ratings={spec.name: 1287.0 - 167.0 * index for index, spec in enumerate(specs)},
        ratings_before={spec.name: 1000.0 for spec in specs},
        tallies=(Tally(specs[0].name, specs[1].name, Verdict.A, 3),) if len(specs) > 1 else (),
        left_out={"leaked": 2},
        last_vote_at=NOW,
    )
    return board_of(rows)


FINE_TUNE = ModelSpec(name="ft-v7", display_name="Our fine-tune", provider="scripted", aliases=("ft", "candidate"))
BASELINE = ModelSpec(name="gpt-4o", display_name="GPT-4o", provider="scripted")


def test_the_board_ranks_the_stored_ratings_and_keeps_what_was_left_out() -> None:
    shown = board(FINE_TUNE, BASELINE)

    assert [(standing.rank, standing.model, standing.wins) for standing in shown.standings] == [
        (1, "ft-v7", 3),
        (2, "gpt-4o", 0),
    ]
    assert (shown.votes, shown.left_out, shown.version) == (3, {"leaked": 2}, 7)


@pytest.mark.parametrize("name", ["ft-v7", "Our fine-tune", "candidate"])
def test_a_model_answers_to_its_name_its_display_name_and_its_aliases(name: str) -> None:
    prediction = board(FINE_TUNE, BASELINE).prediction(name, "GPT-4o")

    # 1287 against 1120, the example of the README.
    assert prediction.probability == pytest.approx(0.723, abs=5e-4)
    assert prediction.record is not None
    assert prediction.record.wins_a == 3


def test_a_permanent_name_wins_over_somebody_elses_alias() -> None:
    impostor = ModelSpec(name="x", display_name="ft-v7", provider="scripted")

    assert board(FINE_TUNE, impostor).find("ft-v7") == "ft-v7"


def test_a_model_against_itself_wins_half_and_has_no_record() -> None:
    prediction = board(FINE_TUNE, BASELINE).prediction("ft-v7", "ft")

    assert (prediction.probability, prediction.record) == (0.5, None)


def test_an_unknown_name_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(UnknownModel, match=r"'gpt-4'.*'gpt-4o'"):
        board(FINE_TUNE, BASELINE).find("gpt-4")


def test_an_empty_board_knows_nobody() -> None:
    with pytest.raises(UnknownModel, match="board is empty"):
        board().find("gpt-4")
