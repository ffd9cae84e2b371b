"""The database: `Store.open(url)`, then `store.read` for every question and `store.write` for every change."""

from arena.store.administering import AdminQueries, AdminWriter
from arena.store.audit import AuditHead, AuditPage
from arena.store.ballots import Alarm, Examined
from arena.store.cookie_secrets import KnownSecret
from arena.store.copy_facts import CopyFacts
from arena.store.copying import copies_of
from arena.store.desk import Decision, ExaminedVote, VoterFigures, Which
from arena.store.loading import SourceLoad
from arena.store.migrating import require_known_schema
from arena.store.model_settings import AS_IN_FILE, ModelSetting
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
    Erased,
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
from arena.store.sessions import StoredSession
from arena.store.spending import ModelSpending
from arena.store.store import Store, utc_now
from arena.store.trust_figures import Attempts, TrustFigures
from arena.store.writer import Writer

__all__ = [
    "AS_IN_FILE",
    "NO_BOUNDS",
    "PLAIN_CASTING",
    "AdminQueries",
    "AdminWriter",
    "Alarm",
    "Attempts",
    "AuditEntry",
    "AuditHead",
    "AuditPage",
    "BoardRows",
    "Bounds",
    "Casting",
    "CopyFacts",
    "DayVotes",
    "Decision",
    "EloPoint",
    "Erased",
    "Examined",
    "ExaminedVote",
    "Facets",
    "Finding",
    "KnownSecret",
    "LastVote",
    "ModelSetting",
    "ModelSpending",
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
    "StoredSession",
    "TrustFigures",
    "UncountedReply",
    "UnreadText",
    "VerifyReport",
    "VoteRecord",
    "VoterFigures",
    "Which",
    "Writer",
    "copies_of",
    "require_known_schema",
    "utc_now",
]
