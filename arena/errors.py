"""Every error the arena raises on purpose.

```
ArenaError                  a sentence for people: names the thing and the remedy
├── SettingsError           arena.toml or an ARENA_ variable is wrong
├── ProviderFault           an upstream failed; carries a neutral Fault, keeps detail for the operator only
├── NotEnoughModels         fewer than two models can be drawn
├── BattleError             this cannot be done to this battle
│   ├── UnknownBattle       no such battle, or it belongs to another voter (never told apart)
│   ├── NotVotable          an answer is missing, failed or still streaming
│   ├── AlreadyVoted        one vote per battle, for ever
│   └── NotRetryable        that side is streaming or already fine
├── PromptRefused           a prompt is blank or too long, or the battle has too many turns
├── LimitReached            too many prompts or votes, or a budget is spent: says when to come back
├── NotAllowed              a role is not enough for this, or a session has ended
├── SignInRefused           a password is wrong, or too many were
├── CannotRate              these votes do not carry what the rating method needs
├── BeingRated              this takes a while, and the first result is not there yet
├── UnknownModel            no model of that name
├── UnknownVoter            nobody of that id has opened a battle
├── UnknownVote             no vote of that number, or one that can never count
├── DecisionRefused         what an administrator decided gives no reason, or is about a vote that is not held
├── ModelChanged            a model with votes changed what shapes its answers: it needs a new name
├── StoreError              the database cannot be used
│   ├── StoreMissing        there is no such file yet
│   ├── StoreLocked         another process writes this SQLite file
│   ├── StoreTooNew         the database was written by a newer program
│   ├── StoreCorrupt        `arena verify` found the first difference
│   └── RestoreRefused      a backup would replace votes, or a database that somebody works with
├── ArchiveRefused          a backup or bundle cannot be written there, or is none
├── ImportRefused           a file to import is not what it should be
├── ExportRefused           votes or figures cannot be written as asked
├── UnknownFormat           no vote format of that name
├── UnknownSource           no imported source of that name
└── EmbeddedError           an embedded model cannot be fetched or started
```
"""

from arena.domain import Fault


class ArenaError(Exception):
    """Base of all errors here; `str()` is a sentence fit for people."""


class SettingsError(ArenaError):
    """A setting is unknown, missing or out of range; names it and the nearest known one."""


class ProviderFault(ArenaError):
    """An upstream answered wrongly or not at all.

    Args:
        fault: the neutral cause, the only part that may reach a page.
        detail: for the operator's log and `arena models check`; free of keys; may name the model.
        retry_after_seconds: how long the upstream asks to wait, None when it does not say.
        retriable: whether one more attempt, made before any byte of an answer came, may help.
    """

    def __init__(
        self,
        fault: Fault,
        detail: str = "",
        *,
        retry_after_seconds: float | None = None,
        retriable: bool = False,
    ) -> None:
        super().__init__(detail or fault.value)
        self.fault = fault
        self.detail = detail
        self.retry_after_seconds = retry_after_seconds
        self.retriable = retriable


class NotEnoughModels(ArenaError):
    """Fewer than two models can be drawn right now."""


class BattleError(ArenaError):
    """The battle does not allow this."""


class UnknownBattle(BattleError):
    """No such battle for this voter."""


class NotVotable(BattleError):
    """A side has no finished answer."""


class AlreadyVoted(BattleError):
    """The battle has its one vote."""


class NotRetryable(BattleError):
    """The side is streaming or fine."""


class PromptRefused(ArenaError):
    """A prompt cannot be sent as it is; says what to change."""


class LimitReached(ArenaError):
    """Too many prompts or votes in a while, or a budget is spent; the sentence says when to come back."""

    def __init__(self, sentence: str, *, retry_after_seconds: int) -> None:
        super().__init__(sentence)
        self.retry_after_seconds = retry_after_seconds


class NotAllowed(ArenaError):
    """Somebody's role is not enough for what they ask, or their session has ended."""


class SignInRefused(ArenaError):
    """A password is wrong, none is set, or too many wrong ones were tried."""


class CannotRate(ArenaError):
    """A method needs more than the selected votes tell; says what, and what to choose instead."""


class BeingRated(ArenaError):
    """A result that takes long is on its way for the first time: ask again soon.

    Args:
        message: names what is being computed.
        share: how far it is by the clock, 0 to 1; 0 while it waits its turn.
    """

    def __init__(self, message: str, *, share: float = 0.0) -> None:
        super().__init__(message)
        self.share = share


class UnknownModel(ArenaError):
    """No model of that name in the catalogue or the database."""


class UnknownVoter(ArenaError):
    """Nobody of that id has opened a battle here."""


class UnknownVote(ArenaError):
    """No vote of that number, or one of a battle that was not ranked."""


class DecisionRefused(ArenaError):
    """An administrator's decision has no reason, or confirms a vote that is not held any more."""


class ModelChanged(ArenaError):
    """A model with votes came back with another fingerprint."""


class StoreError(ArenaError):
    """The database cannot be used."""


class StoreMissing(StoreError):
    """There is no such SQLite file: no arena has run here yet."""


class StoreLocked(StoreError):
    """Another process is the writer of this SQLite file."""


class StoreTooNew(StoreError):
    """The database's schema is newer than this program."""


class StoreCorrupt(StoreError):
    """A stored figure differs from the one recomputed from the votes."""


class RestoreRefused(StoreError):
    """A backup was not restored, because something would be lost or disturbed."""


class ArchiveRefused(ArenaError):
    """A file cannot be written as a backup or bundle, or is none of this program's."""


class ImportRefused(ArenaError):
    """A file to import was refused as a whole."""


class ExportRefused(ArenaError):
    """Votes or figures cannot be written to that file or in that kind of file."""


class UnknownFormat(ArenaError):
    """No vote format of that name."""


class UnknownSource(ArenaError):
    """No source of votes of that name."""


class EmbeddedError(ArenaError):
    """An embedded model's weights cannot be had, or its server does not start."""
