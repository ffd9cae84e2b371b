"""What a page may know of a battle: everything but the models, until the vote is final."""

from collections.abc import Mapping
from dataclasses import dataclass

from arena.domain import (
    Battle,
    BattleState,
    EloChange,
    Fault,
    ModelSpec,
    Pace,
    Reply,
    ReplyStatus,
    Side,
    Turn,
    Vote,
)
from arena.identity import Names, masked
from arena.live import LiveBattle
from leaderboard.verdicts import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class SideView:
    """The latest attempt of one side at one turn."""

    text: str
    status: ReplyStatus
    fault: Fault | None

    @property
    def retryable(self) -> bool:
        """Whether **Retry this side** would ask again."""
        return self.status in {ReplyStatus.FAILED, ReplyStatus.STOPPED, ReplyStatus.INTERRUPTED}


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnView:
    """One prompt and its two answers; `ordinal` counts from 1."""

    ordinal: int
    prompt: str
    sides: Mapping[Side, SideView]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldVerdict:
    """A verdict that can still be undone; `seconds_left` is 0 once it is being stored."""

    verdict: Verdict
    seconds_left: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RevealedModel:
    """A model after the vote; `elo` is None in a battle that is not ranked."""

    name: str
    display_name: str
    organisation: str | None
    link: str | None
    elo: EloChange | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reveal:
    """What the vote was and whom it was about; `left_out` says why it does not count, None when it does."""

    verdict: Verdict
    models: Mapping[Side, RevealedModel]
    left_out: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BattleView:
    """A battle as its owner may see it.

    `problem` is a sentence about a vote that could not be stored. `texts_removed_after_days` says how old the battle
    was when its prompts and answers were removed; None while it has them.
    """

    id: str
    state: BattleState
    turns: tuple[TurnView, ...]
    pace: Pace = Pace.LIVE
    held: HeldVerdict | None = None
    reveal: Reveal | None = None
    problem: str | None = None
    texts_removed_after_days: int | None = None

    @property
    def votable(self) -> bool:
        """Whether it waits for a vote, or another prompt."""
        return self.state is BattleState.READY and self.held is None and self.texts_removed_after_days is None


def battle_view(
    battle: Battle,
    *,
    live: LiveBattle | None,
    held: HeldVerdict | None,
    problem: str | None,
    specs: Mapping[str, ModelSpec],
    names: Names,
) -> BattleView:
    """What may be shown of `battle`: until the vote, without the words that give a model away.

    `live` must have been looked up *before* `battle` was read: a stream that ended in between is then complete in
    `live`, and one that had ended before is complete in the battle. `specs` need only know the models of a voted one.
    """
    return BattleView(
        id=battle.id,
        state=battle.state,
        turns=tuple(_turn_view(turn, battle, live, names) for turn in battle.turns),
        pace=battle.pace,
        held=held if battle.vote is None else None,
        reveal=_reveal(battle, battle.vote, specs) if battle.vote else None,
        problem=problem,
        texts_removed_after_days=(battle.texts_removed_at - battle.created_at).days
        if battle.texts_removed_at
        else None,
    )


def _turn_view(turn: Turn, battle: Battle, live: LiveBattle | None, names: Names) -> TurnView:
    is_latest = turn is battle.turns[-1]
    if is_latest and battle.pace is not Pace.LIVE and battle.state is BattleState.STREAMING:
        waiting = SideView(text="", status=ReplyStatus.STREAMING, fault=None)  # an end would tell who was faster
        return TurnView(ordinal=turn.ordinal, prompt=turn.prompt, sides=dict.fromkeys(turn.replies, waiting))
    sides = {}
    for side, reply in turn.replies.items():
        text = _shown(reply, turn, battle, names)
        if reply.status is ReplyStatus.STREAMING and live is not None and side in live.sides:
            text = live.sides[side].text
        sides[side] = SideView(text=text, status=reply.status, fault=reply.fault)
    return TurnView(ordinal=turn.ordinal, prompt=turn.prompt, sides=sides)


def _shown(reply: Reply, turn: Turn, battle: Battle, names: Names) -> str:
    if reply.fault is Fault.MODERATED:
        return ""
    if not reply.leaked or battle.vote is not None:
        return reply.text
    prompts = [each.prompt for each in battle.turns if each.ordinal <= turn.ordinal]
    return masked(reply.text, names=names, prompts=prompts)


def _reveal(battle: Battle, vote: Vote, specs: Mapping[str, ModelSpec]) -> Reveal:
    models = {}
    for side in Side:
        name = battle.seats[side]
        spec = specs.get(name)
        models[side] = RevealedModel(
            name=name,
            display_name=spec.display_name if spec else name,
            organisation=spec.organisation if spec else None,
            link=spec.link if spec else None,
            elo=vote.elo[side] if vote.elo else None,
        )
    return Reveal(verdict=vote.verdict, models=models, left_out=vote.left_out)
