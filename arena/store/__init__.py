"""The database: `Store.open(url)`, then `store.read` for every question and `store.write` for every change."""

from arena.store.loading import SourceLoad
from arena.store.queries import Queries
from arena.store.rows import (
    AuditEntry,
    BoardRows,
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
    StoredModel,
    UncountedReply,
    UnreadText,
    VerifyReport,
    VoteRecord,
)
from arena.store.store import Store
from arena.store.writer import Writer

__all__ = [
    "AuditEntry",
    "BoardRows",
    "DayVotes",
    "EloPoint",
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
    "Store",
    "StoredModel",
    "UncountedReply",
    "UnreadText",
    "VerifyReport",
    "VoteRecord",
    "Writer",
]
