"""What came along with a message beside its words: what its writer chose, what the system it came from wants, what is
to be known of a mail."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from hub.i18n import N_, _, moment
from hub.models import Message
from hub.privacy import shortened
from nlp import mask

# Systems that know no limit write one far away.
FARTHEST = timedelta(days=3650)
LONGEST_QUOTE = 4000
_LABELS = {
    "category": N_("分类 %(text)s"), "region": N_("区划 %(text)s"), "channel": N_("来自 %(text)s"),
    "department": N_("指定单位 %(text)s"),
}  # fmt: skip


def moment_in(value: object) -> datetime | None:
    """A time as intake keeps it in JSON: ISO 8601 with an offset; anything else counts as not known."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    return value if isinstance(value, datetime) and value.tzinfo else None


def due_of(messages: Iterable[Message], now: datetime) -> datetime | None:
    """Until when the system they came from wants them settled, the earliest of them; None where it says nothing."""
    wanted = [at for message in messages if (at := moment_in(message.extra.get("due_at")))]
    return min((at for at in wanted if at - now < FARTHEST), default=None)


def stated(message: Message) -> list[str]:
    """What the writer of a letter chose on its form, or another system wrote into its fields."""
    extra = message.extra
    due = moment_in(extra.get("due_at"))
    chosen = [mask(str(said)) for name in ("stated_kind", "stated_place") if (said := extra.get(name))]
    told = [_(label, text=mask(str(said))) for name, label in _LABELS.items() if (said := extra.get(name))]
    return [*chosen, *told, *([_("对方要求 %(at)s 前办结", at=moment(due))] if due else [])]


def remarks(message: Message) -> list[str]:
    """What is to be known of a mail before it is answered."""
    words = {
        "auto-submitted": _("自动发出的邮件，不是本人写的"), "precedence": _("群发或自动发出的邮件"),
        "list": _("群发邮件（邮件列表或订阅）"), "report": _("邮件系统的通知（如退信）"),
    }  # fmt: skip
    kind = words.get(str(message.extra.get("automatic") or ""))
    cut = _("邮件太长，这里只有开头，全文请到信箱里看") if message.extra.get("truncated") is True else ""
    return [remark for remark in (kind, cut) if remark]


def quotation(message: Message) -> str:
    """The older mail below what is said now, masked; "" where there is none."""
    quoted = message.extra.get("quoted")
    return mask(shortened(quoted, LONGEST_QUOTE)) if isinstance(quoted, str) else ""
