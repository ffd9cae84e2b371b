"""The database: `Store.open(url)`, then `store.read` for every question and `store.write` for every change."""

from arena.store.loading import SourceLoad
from arena.store.queries import Queries
from arena.store.rows import (
    AuditEntry,
    BoardRows,
    DayVotes,
    EloPoint,
    Facets,
    LastVote,
    NewBattle,
    NewSource,
    SelectedVotes,
    Source,
    StoredModel,
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
    "LastVote",
    "NewBattle",
    "NewSource",
    "Queries",
    "SelectedVotes",
    "Source",
    "SourceLoad",
    "Store",
    "StoredModel",
    "VerifyReport",
    "VoteRecord",
    "Writer",
]
