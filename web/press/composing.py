"""What stands in the composer's fields: from a stored post, from what was typed, and back to a draft."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from hub import clock
from hub.errors import Invalid
from hub.i18n import _
from web.forms import Form, whole
from workflows.pictures.placed import FOCUS, Placed
from workflows.publishing.content import FARTHEST, USUAL, Draft, Option
from workflows.videos.placed import PlacedVideo

# A new post without a wish: the next full half hour that leaves time for the review.
TIME_TO_REVIEW = timedelta(hours=1)
HALF_HOUR = timedelta(minutes=30)
AT_ONCE, LATER = "now", "at"


@dataclass(frozen=True, slots=True)
class Fields:
    """Texts as they stand in the form. ``when``: now (as soon as it is approved) or at (``on``, ``at``)."""

    title: str = ""
    body: str = ""
    accounts: frozenset[int] = frozenset()
    texts: Mapping[int, str] = field(default_factory=dict)
    when: str = LATER
    on: str = ""
    at: str = ""
    latest_at: str = ""
    pictures: tuple[Placed, ...] = ()
    options: Mapping[int, Option] = field(default_factory=dict)
    video: PlacedVideo | None = None

    def option(self, account: int) -> Option:
        """How it goes out on this account."""
        return self.options.get(account, USUAL)


def empty(now: datetime, wanted: str = "") -> Fields:
    """A new post's fields; ``wanted``: an ISO time, as the calendar asks for it. What cannot be read is ignored."""
    moment = _readable(wanted) or _next_half_hour(now)
    return _timed(Fields(), moment)


def of(draft: Draft, *, title: str | None = None) -> Fields:
    """The fields of a stored post."""
    made = Fields(
        title=draft.title if title is None else title,
        body=draft.body,
        accounts=frozenset(draft.targets),
        texts={account: text for account, text in draft.targets.items() if text},
        when=LATER if draft.scheduled_at else AT_ONCE,
        latest_at=_local(draft.latest_at, "%Y-%m-%dT%H:%M"),
        pictures=draft.pictures,
        options={account: _shown(option, draft.title) for account, option in draft.options.items()},
        video=draft.video,
    )
    return _timed(made, draft.scheduled_at)


def _shown(option: Option, title: str) -> Option:
    """A title that is the post's own goes on following it."""
    return replace(option, title="") if option.title == title else option


def typed(form: Form, known: Collection[int]) -> Fields:
    """What was typed, untouched, for showing the form again. ``known``: ids of accounts that can be chosen."""
    texts = {account: form.raw(f"text_{account}").replace("\r\n", "\n") for account in known}
    return Fields(
        title=form.raw("title"),
        body=form.raw("body").replace("\r\n", "\n"),
        accounts=frozenset(number for value in form.many("account") if (number := whole(value)) is not None),
        texts={account: text for account, text in texts.items() if text},
        when=AT_ONCE if form.raw("when") == AT_ONCE else LATER,
        on=form.raw("on"),
        at=form.raw("at"),
        latest_at=form.raw("latest_at"),
        pictures=tuple(_picture(form, number) for value in form.many("picture") if (number := whole(value))),
        options={account: option for account in known if (option := _option(form, account)) != USUAL},
        video=_video(form),
    )


def _video(form: Form) -> PlacedVideo | None:
    number = whole(form.raw("video"))
    return PlacedVideo(number, form.raw("video_alt")) if number else None


def _picture(form: Form, number: int) -> Placed:
    focus = form.raw(f"focus_{number}")
    return Placed(number, form.raw(f"alt_{number}"), focus if focus in FOCUS else "")


def _option(form: Form, account: int) -> Option:
    return Option(
        form=form.raw(f"form_{account}"),
        title=form.raw(f"title_{account}"),
        first=whole(form.raw(f"first_{account}")),
        assignee_id=whole(form.raw(f"assignee_{account}")),
        without_video=form.ticked(f"novideo_{account}"),
    )


def draft(fields: Fields) -> Draft:
    """What the fields mean. Raises :class:`Invalid` with every field that cannot be read."""
    made, problems = as_far_as_readable(fields)
    if problems:
        raise Invalid(problems)
    return made


def as_far_as_readable(fields: Fields) -> tuple[Draft, dict[str, str]]:
    """For checks while somebody types: times that cannot be read count as none, and are told by field.

    A text typed for an account that is not chosen is left out.
    """
    problems: dict[str, str] = {}
    scheduled_at = None if fields.when == AT_ONCE else _scheduled(fields, problems)
    latest_at = _read(fields.latest_at, "latest_at", problems) if fields.latest_at else None
    targets = {account: fields.texts.get(account, "") for account in sorted(fields.accounts)}
    options = {account: option for account, option in fields.options.items() if account in targets}
    made = Draft(fields.title, fields.body, targets, scheduled_at, latest_at, fields.pictures, options, fields.video)
    return made, problems


def _scheduled(fields: Fields, problems: dict[str, str]) -> datetime | None:
    if not fields.on:
        problems["on"] = _("请选择日期，或改为审核通过后立即发布。")
    if not fields.at:
        problems["at"] = _("请填写时间，或改为审核通过后立即发布。")
    return None if problems else _read(f"{fields.on}T{fields.at}", "on", problems)


def _read(typed: str, name: str, problems: dict[str, str]) -> datetime | None:
    """A wall-clock time of the office, not farther away than a post may be planned."""
    try:
        found = datetime.fromisoformat(typed).replace(tzinfo=clock.OFFICE_ZONE).astimezone(UTC)
    except (ValueError, OverflowError):  # the first and last days of the calendar have no UTC
        problems[name] = _("看不懂这个时间，请按「年-月-日 时:分」填写。")
        return None
    if abs(found - clock.now()) > FARTHEST:
        problems[name] = _("时间离现在太远，请检查年份")
        return None
    return found


def _timed(fields: Fields, moment: datetime | None) -> Fields:
    return replace(fields, on=_local(moment, "%Y-%m-%d"), at=_local(moment, "%H:%M"))


def _local(moment: datetime | None, pattern: str) -> str:
    return clock.local(moment).strftime(pattern) if moment else ""


def _readable(wanted: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(wanted.replace(" ", "+")) if wanted else None
        return found.astimezone(clock.OFFICE_ZONE) if found and found.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _next_half_hour(now: datetime) -> datetime:
    start = now + TIME_TO_REVIEW
    past = timedelta(minutes=start.minute % 30, seconds=start.second, microseconds=start.microsecond)
    return start - past + HALF_HOUR
