"""Answers to citizens: written, checked, reviewed by another person, sent through the delivery door."""

from workflows.checking.confirming import Finding, Unconfirmed
from workflows.replies.checks import Measure, check, measure
from workflows.replies.drafts import DraftConflict, save_draft
from workflows.replies.elsewhere import answer_elsewhere
from workflows.replies.review import approve, send_back, submit
from workflows.replies.settling import settled

__all__ = [
    "DraftConflict", "Finding", "Measure", "Unconfirmed", "answer_elsewhere", "approve", "check", "measure",
    "save_draft", "send_back", "settled", "submit",
]  # fmt: skip
