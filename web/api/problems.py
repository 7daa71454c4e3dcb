"""Refusals as problem+json (RFC 9457): a type for programs, every reason in words for people."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from hub.errors import HubError, Invalid, NotAllowed, NotFound, Refused, Stale, Unavailable
from hub.i18n import N_, _
from hub.idempotency import KeyReused
from web.faults import (
    BadRequest,
    Forged,
    PasswordChangeNeeded,
    SignInNeeded,
    TokenNeeded,
    TooLarge,
    TooMany,
    WrongFormat,
)
from workflows.checking import confirming
from workflows.checking.confirming import Unconfirmed, Unfit
from workflows.replies import DraftConflict

MEDIA_TYPE = "application/problem+json"
PREFIX = "urn:zhengsheng:problem:"
# The nearest class of an error says its type; renaming a class changes nothing for programs.
KINDS: Mapping[type[HubError], str] = {
    Refused: "refused",
    Stale: "stale",
    DraftConflict: "draft-conflict",
    Unconfirmed: "unconfirmed",
    NotFound: "not-found",
    NotAllowed: "not-allowed",
    Invalid: "invalid",
    KeyReused: "key-reused",
    Unavailable: "unavailable",
    SignInNeeded: "sign-in-needed",
    TokenNeeded: "token-needed",
    PasswordChangeNeeded: "password-change-needed",
    Forged: "forged",
    BadRequest: "bad-request",
    WrongFormat: "wrong-format",
    TooLarge: "too-large",
    TooMany: "too-many",
}


class Current(BaseModel):
    """What stands in place of what could not be saved."""

    reply_id: int
    version: int
    text: str
    author_name: str


class Place(BaseModel):
    """A further place of the same kind."""

    start: int
    end: int
    found: str
    suggestion: str


class Finding(BaseModel):
    """What speaks against a text; what does not block can be confirmed."""

    model_config = ConfigDict(from_attributes=True)

    text: str = Field(description=N_("一句话说明。"))
    blocks: bool = Field(description=N_("必须改掉；否则可以确认。"))
    field: str = Field(default="", description=N_("哪段文字：text、body、title、text_账号、title_账号、alt_图片。"))
    rule: str = Field(default="", description=N_("规则；不是文字检查发现的为空。"))
    severity: str = Field(default="", description=N_("red 红线、error 差错、hint 提示。"))
    start: int | None = Field(default=None, description=N_("在这段文字里的起点，按码点从 0 数。"))
    end: int | None = Field(default=None, description=N_("终点，不含。"))
    found: str = Field(default="", description=N_("那里写的是什么。"))
    suggestions: list[str] = Field(default=[], description=N_("建议改成什么，最合适的在前；空字符串表示删去。"))
    source: str = Field(default="", description=N_("规则的依据。"))
    more: list[Place] = Field(default=[], description=N_("同类的其他各处，可一并改掉。"))


def finding_of(one: confirming.Finding) -> Finding:
    """A finding as programs get it."""
    if one.told is None:
        return Finding(text=one.text, blocks=one.blocks)
    told = one.told
    return Finding(
        text=one.text, blocks=one.blocks, field=one.field, rule=told.rule, severity=told.severity, start=told.start,
        end=told.end, found=told.found, suggestions=list(told.suggestions), source=told.source,
        more=[Place(start=a, end=b, found=found, suggestion=right) for a, b, found, right in told.more],
    )  # fmt: skip


class Problem(BaseModel):
    """The body of every refusal."""

    type: str = Field(default="about:blank", description=N_("问题的类别，供程序判断。"))
    title: str = Field(description=N_("一句话的标题。"))
    status: int = Field(description=N_("HTTP 状态码。"))
    detail: str = Field(default="", description=N_("全部理由连成一段。"))
    reasons: list[str] = Field(default=[], description=N_("每一条理由。"))
    problems: dict[str, str] | None = Field(default=None, description=N_("各项的问题：项名 → 哪里不对、怎么改。"))
    findings: list[Finding] | None = Field(
        default=None, description=N_("文字里查出的：要改掉的（refused），或要确认的（unconfirmed）。")
    )
    confirm: str | None = Field(
        default=None, description=N_("读过 findings 仍要送审时，把它放进请求的 confirm 再发一次（unconfirmed）。")
    )
    current: Current | None = Field(default=None, description=N_("现在保存着的答复（draft-conflict）。"))
    incident: str | None = Field(default=None, description=N_("事件编号，供管理员查找。"))


def problem_of(error: HubError, title: str) -> Problem:
    """An error of the house as a problem; ``title``: the words for its status."""
    found = Problem(type=PREFIX + kind_of(error), title=title, status=error.status, reasons=error.texts)
    if isinstance(error, Invalid):
        found.problems = error.problems
    if isinstance(error, Unconfirmed):
        found.confirm = error.confirm
    if isinstance(error, Unconfirmed | Unfit):
        found.findings = [finding_of(one) for one in error.findings] or None
    if isinstance(error, DraftConflict) and error.theirs is not None:
        theirs = error.theirs
        found.current = Current(
            reply_id=theirs.reply_id, version=theirs.version, text=theirs.text, author_name=theirs.author_name
        )
    return found


def kind_of(error: HubError) -> str:
    """The last part of the problem's type."""
    return next((KINDS[kind] for kind in type(error).__mro__ if kind in KINDS), "error")


def answer(problem: Problem) -> Response:
    """The response; keys without a value stay out."""
    said = problem.model_copy(update={"detail": _("；").join(problem.reasons), "incident": problem.incident or None})
    content = said.model_dump_json(exclude_none=True).encode()
    return Response(content, problem.status, media_type=MEDIA_TYPE)
