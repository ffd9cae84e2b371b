"""The database: `Store.open(url)`, then `store.read` for every question and `store.write` for every change."""

from arena.store.queries import Queries
from arena.store.rows import (
    AuditEntry,
    BoardRows,
    EloPoint,
    NewBattle,
    StoredModel,
    VerifyReport,
    VoteRecord,
)
from arena.store.store import Store
from arena.store.writer import Writer

__all__ = [
    "AuditEntry",
    "BoardRows",
    "EloPoint",
    "NewBattle",
    "Queries",
    "Store",
    "StoredModel",
    "VerifyReport",
    "VoteRecord",
    "Writer",
]
