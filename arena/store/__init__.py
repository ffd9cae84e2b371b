"""The database: `Store.open(url)`, then `store.read` for every question and `store.write` for every change."""

from arena.store.ballots import Alarm, Examined
from arena.store.loading import SourceLoad
from arena.store.queries import Queries
from arena.store.rows import (
    NO_BOUNDS,
    PLAIN_CASTING,
    AuditEntry,
    BoardRows,
    Bounds,
    Casting,
    DayVotes,
    EloPoint,
    Facets,
    Finding,
    LastVote,
    NewBattle,
    NewSource,
    ReplyKey,
    ReplyStyle,
    SelectedVotes,
    Source,
    Spending,
    StoredModel,
    UncountedReply,
    UnreadText,
    VerifyReport,
    VoteRecord,
)
from arena.store.store import Store
from arena.store.trust_figures import Attempts, TrustFigures
from arena.store.writer import Writer

__all__ = [
    "NO_BOUNDS",
    "PLAIN_CASTING",
    "Alarm",
    "Attempts",
    "AuditEntry",
    "BoardRows",
    "Bounds",
    "Casting",
    "DayVotes",
    "EloPoint",
    "Examined",
    "Facets",
    "Finding",
    "LastVote",
    "NewBattle",
    "NewSource",
    "Queries",
    "ReplyKey",
    "ReplyStyle",
    "SelectedVotes",
    "Source",
    "SourceLoad",
    "Spending",
    "Store",
    "StoredModel",
    "TrustFigures",
    "UncountedReply",
    "UnreadText",
    "VerifyReport",
    "VoteRecord",
    "Writer",
]
