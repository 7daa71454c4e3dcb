"""The kinds of values that come in and go out: strict where people's programs write, plain where they read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic import field_validator as validates

from hub import clock
from hub.i18n import N_

MOST = 200
LARGEST = 2**63 - 1
LONGEST_NOTE = 10_000
_TIME = {"type": "string", "format": "date-time", "examples": ["2026-11-23T09:05:00+08:00"]}
_FIRST, _LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def _within_reason(value: datetime) -> datetime:
    """Databases and calendars have ends; what lies beyond them is a slip."""
    if not _FIRST <= value < _LAST:
        raise ValueError(N_("时间须在 2000 年至 2099 年之间。"))
    return value.astimezone(UTC)


def _office_time(value: datetime) -> str:
    return clock.local(value).isoformat()


Moment = Annotated[datetime, PlainSerializer(_office_time, return_type=str), WithJsonSchema(_TIME)]
When = Annotated[AwareDatetime, AfterValidator(_within_reason), WithJsonSchema(_TIME)]
Id = Annotated[int, Field(ge=1, le=LARGEST)]
Version = Annotated[int, Field(ge=0, le=2**31 - 1, description=N_("读到的版本号；别人改过就会被拒绝。"))]
Note = Annotated[str, Field(max_length=LONGEST_NOTE)]
Confirm = Annotated[
    str, Field(max_length=16, description=N_("上次回答（unconfirmed）给出的 confirm：其中列出的都看过，仍要这样发。"))
]


class Body(BaseModel):
    """What a write sends: exactly these fields, of exactly these types, without NULs."""

    model_config = ConfigDict(extra="forbid", strict=True)

    @validates("*", mode="after")
    @classmethod
    def _no_nul(cls, value: Any) -> Any:
        if isinstance(value, str) and "\0" in value:
            raise ValueError(N_("内容里有不能保存的控制字符，请删除后再提交。"))
        return value


class Query(BaseModel):
    """What stands behind the ``?`` of an address: these names only."""

    model_config = ConfigDict(extra="forbid")


class PageQuery(Query):
    """A list: how many, and from where on."""

    limit: int = Field(default=50, ge=1, le=MOST, description=N_("一页最多几项。"))
    cursor: str = Field(default="", max_length=1000, description=N_("上一页给出的 next；不写就是第一页。"))


class Answer(BaseModel):
    """What is answered; made from rows and views by attribute."""

    model_config = ConfigDict(from_attributes=True, json_schema_serialization_defaults_required=True)


Item = TypeVar("Item", bound=Answer)


class Page(Answer, Generic[Item]):
    """One page of a list."""

    items: list[Item]
    next: str | None = Field(default=None, description=N_("下一页的 cursor；null 表示到此为止。"))
