"""What stands above the board: how many models and votes, what is left out, and when the last vote came."""

from arena.numerals import count
from arena.rated_board import RatedBoard
from shell import moment
from words import left_out_reason


def summary(board: RatedBoard, shown: int) -> str:
    """How many models and votes, what is left out and why, and when the last vote came."""
    parts = [f"**{count(shown, 'model')}**", f"**{count(board.votes, 'vote')}**"]
    parts += [f"{number:,} left out ({left_out_reason(reason)})" for reason, number in board.left_out.items()]
    if board.selection.failed_loses:
        parts.append(f"**{count(board.failed_lost, 'failed answer')}** counted as lost")
    return " · ".join([*parts, last_vote(board)])


def last_vote(board: RatedBoard) -> str:
    """When the last vote was cast, as far as that is known."""
    if board.last_vote_at:
        return f"last vote {moment(board.last_vote_at)}"
    if board.last_vote_day:
        return f"last vote {board.last_vote_day}"
    return "times of votes unknown" if board.votes else "no vote yet"
