"""Every table of the hub, by room."""

from hub.models.accounts import Account, CircuitState, Pause, PauseScope, Stream
from hub.models.audit import AuditEntry, Change, Heartbeat
from hub.models.cases import Audience, Case, CaseClass, CaseEvent, CaseState, Reply, ReplyState
from hub.models.checking import OfficeWord, WordKind
from hub.models.connections import Authorisation, Spending
from hub.models.deliveries import Attempt, AttemptResult, Delivery, DeliveryKind, DeliveryState
from hub.models.learning import Because, Correction, LearnRun, LearnState, LearntModel, LiveModel, ModelChange
from hub.models.letters import Letter, LetterBytes, LetterFile
from hub.models.matters import (
    Matter,
    MatterEvent,
    MatterMessage,
    MatterState,
    ModelDraft,
    ModelState,
    ModelTask,
    WordShare,
    WordTally,
)
from hub.models.messages import (
    Arrival,
    ArrivalState,
    ImportRun,
    ImportState,
    Message,
    MessageKind,
    SavedMapping,
    Tagging,
)
from hub.models.opinion import Rollup
from hub.models.people import ApiToken, Department, IdempotencyKey, Role, SignIn, User, UserRole
from hub.models.posts import Picture, PictureBytes, PictureUse, Post, PostEvent, PostState, PostTarget
from hub.models.routing import Dispatch, Router, RoutingRule
from hub.models.watching import PlanAlert, PlanHit, PlanMode, PlanRun, RunState, WatchPlan

__all__ = [
    "Account",
    "ApiToken",
    "Arrival",
    "ArrivalState",
    "Attempt",
    "AttemptResult",
    "Audience",
    "AuditEntry",
    "Authorisation",
    "Because",
    "Case",
    "CaseClass",
    "CaseEvent",
    "CaseState",
    "Change",
    "CircuitState",
    "Correction",
    "Delivery",
    "DeliveryKind",
    "DeliveryState",
    "Department",
    "Dispatch",
    "Heartbeat",
    "IdempotencyKey",
    "ImportRun",
    "ImportState",
    "LearnRun",
    "LearnState",
    "LearntModel",
    "Letter",
    "LetterBytes",
    "LetterFile",
    "LiveModel",
    "Matter",
    "MatterEvent",
    "MatterMessage",
    "MatterState",
    "Message",
    "MessageKind",
    "ModelChange",
    "ModelDraft",
    "ModelState",
    "ModelTask",
    "OfficeWord",
    "Pause",
    "PauseScope",
    "Picture",
    "PictureBytes",
    "PictureUse",
    "PlanAlert",
    "PlanHit",
    "PlanMode",
    "PlanRun",
    "Post",
    "PostEvent",
    "PostState",
    "PostTarget",
    "Reply",
    "ReplyState",
    "Role",
    "Rollup",
    "Router",
    "RoutingRule",
    "RunState",
    "SavedMapping",
    "SignIn",
    "Spending",
    "Stream",
    "Tagging",
    "User",
    "UserRole",
    "WatchPlan",
    "WordKind",
    "WordShare",
    "WordTally",
]
