"""The figures of the hub in words: what is, whether it is well, and what to do when it is not."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from hub import i18n
from hub.i18n import _, ngettext, number, room
from hub.models import DeliveryState
from web import accountwords
from web.observe.figures import Figures, Pull
from web.observe.health import Sign
from workflows.accounts import Attention
from workflows.tokens import Life

# Beyond these somebody should look: seconds.
# More accounts than these that are all well are told in one line.
WELL_NAMED = 30
QUEUE_LATE, SWEEP_LATE, SEND_LATE, UNKNOWN_LATE, TAG_LATE, PULL_LATE = 30, 60, 120, 900, 120, 600


@dataclass(frozen=True, slots=True)
class Line:
    """One fact. ``tone``: done (well), empty (a figure), soon (look at it), danger (act); ``advice``: what to do."""

    name: str
    said: str
    tone: str = "done"
    advice: str = ""
    href: str = ""


def span(seconds: float) -> str:
    """A length of time in words, coarse."""
    if seconds < 60:
        return ngettext("%(n)s 秒", "%(n)s 秒", int(seconds))
    if seconds < 3600:
        return ngettext("%(n)s 分钟", "%(n)s 分钟", int(seconds // 60))
    if seconds < 172_800:
        return ngettext("%(n)s 小时", "%(n)s 小时", int(seconds // 3600))
    return ngettext("%(n)s 天", "%(n)s 天", int(seconds // 86_400))


def parts(signs: dict[str, Sign]) -> list[Line]:
    """Every process and service."""
    names = {"web": _("网页"), "worker": _("后台任务"), "queue": _("队列"), "sandbox": _("沙箱平台")}
    advice = {
        "web": _("查看数据库是否可用、磁盘是否已满。"),
        "worker": _("启动后台任务进程：hub worker。没有它，不收信、不打标、不派单、不发送；已收到的不会丢失。"),
        "queue": _("检查 Valkey/Redis 是否在运行、地址是否正确。没有它只是慢一些，内容不会丢失。"),
        "sandbox": _("启动沙箱平台：hub sandbox，或者去掉设置 HUB_SANDBOX_URL。"),
    }
    return [
        Line(names[part], _("正常"))
        if sign.ok
        else Line(names[part], sign.said or _("没有应答"), "danger", advice[part])
        for part, sign in signs.items()
    ]


def work(f: Figures) -> list[Line]:
    """What waits inside the hub."""
    return [_queue(f), _sweep(f), *_failing(f), _unread(f), _untagged(f), _quarantine(f), _files(f)]


def _failing(f: Figures) -> list[Line]:
    advice = _("会自动重试；持续出现时请看后台任务的日志。")
    return [
        Line(_("任务 %(name)s", name=name), _("出错：%(error)s", error=error), "danger", advice)
        for name, error in f.failing_jobs.items()
    ]


def _queue(f: Figures) -> Line:
    if f.backlog is None:
        return Line(_("队列中的任务"), _("读不到"), "soon", _("队列恢复后会自动继续。"))
    said = ngettext(
        "%(n)s 个，最早的已等 %(age)s", "%(n)s 个，最早的已等 %(age)s", f.backlog.jobs, age=span(f.backlog.age)
    )
    late = f.backlog.age > QUEUE_LATE
    advice = _("后台任务进程忙不过来或停了，可以再启动一个：hub worker。") if late else ""
    return Line(_("队列中的任务"), said, "soon" if late else "done", advice)


def _sweep(f: Figures) -> Line:
    if f.sweep_age is None:
        return Line(_("定时巡检"), _("还没有记录"), "soon", _("启动后台任务进程后出现。"))
    late = f.sweep_age > SWEEP_LATE
    advice = _("巡检停了，到点的发布不会发出。请重启后台任务进程。") if late else ""
    return Line(_("定时巡检"), _("%(age)s前", age=span(f.sweep_age)), "danger" if late else "done", advice)


def _unread(f: Figures) -> Line:
    said = ngettext("%(n)s 条", "%(n)s 条", f.unread)
    return Line(_("已收到、待读取"), said, "soon" if f.unread > 1000 else "done")


def _untagged(f: Figures) -> Line:
    said = ngettext("%(n)s 条", "%(n)s 条", f.untagged)
    late = f.untagged_age is not None and f.untagged_age > TAG_LATE
    if f.untagged_age is not None:
        said = _("%(count)s，最早的已等 %(age)s", count=said, age=span(f.untagged_age))
    advice = _("大批导入时属正常，几分钟内会处理完；否则请看后台任务的日志。") if late else ""
    return Line(_("待打标"), said, "soon" if late else "done", advice)


def _quarantine(f: Figures) -> Line:
    said = ngettext("%(n)s 条", "%(n)s 条", f.quarantined)
    if not f.quarantined:
        return Line(_("隔离区"), said)
    return Line(_("隔离区"), said, "soon", _("有来件无法读取，原文已保存。请值班员查看后重放或忽略。"))


def _files(f: Figures) -> Line:
    kept = ngettext("%(n)s 个文件", "%(n)s 个文件", f.files)
    said = _("%(count)s，占 %(room)s", count=kept, room=room(f.files_bytes)) if f.files else kept
    return Line(_("网民图片和附件"), said)


def sending(f: Figures) -> list[Line]:
    """What leaves the house."""
    words = {
        DeliveryState.waiting: _("等待发出"), DeliveryState.sending: _("正在发出"), DeliveryState.sent: _("已发出"),
        DeliveryState.failed: _("没有发成"), DeliveryState.unknown: _("结果不明"), DeliveryState.held: _("暂停中"),
        DeliveryState.missed: _("已错过时间"), DeliveryState.cancelled: _("已取消"),
        DeliveryState.removed: _("已被平台删除"), DeliveryState.by_hand: _("等人工发布"),
    }  # fmt: skip
    lines = [_of_state(words[state], state, f.deliveries.get(state.value, 0)) for state in DeliveryState]
    return [*_sending_troubles(f), *lines]


def _of_state(name: str, state: DeliveryState, n: int) -> Line:
    advice = {
        DeliveryState.failed: _("由新媒体编辑在「发送」里看原因，改好后重试或作废。"),
        DeliveryState.missed: _("由新媒体编辑在「发送」里决定立即发布、改期或作废。"),
        DeliveryState.held: _("解除暂停后，由新媒体编辑逐条决定。"),
    }
    return Line(name, number(n), "", advice.get(state, "") if n else "")


def _sending_troubles(f: Figures) -> list[Line]:
    lines = []
    if f.overdue_age is not None and f.overdue_age > SEND_LATE:
        said = _("最早的已过 %(age)s", age=span(f.overdue_age))
        lines.append(Line(_("到点未发"), said, "danger", _("检查后台任务进程和暂停开关。")))
    if f.unknown_age is not None and f.unknown_age > UNKNOWN_LATE:
        advice = _("平台没说发没发成，自动核实也没有结果：请到平台上看一眼，再在发布台账里人工确认。")
        lines.append(Line(_("久未核实"), _("最早的已 %(age)s", age=span(f.unknown_age)), "danger", advice))
    return lines


def pulls(f: Figures) -> list[Line]:
    """Reading from each account: one line where all of it is well, one for each stream where it is not."""
    lines: list[Line] = []
    well: list[list[Pull]] = []
    read = [pull for pull in f.pulls if not pull.is_stopped]
    for _account, group in groupby(read, key=lambda pull: pull.account_id):
        streams = list(group)
        each = [_pull(pull) for pull in streams]
        if all(line.tone == "done" for line in each):
            well.append(streams)
        else:
            lines += each
    if len(well) > WELL_NAMED:
        oldest = span(max(pull.age or 0.0 for streams in well for pull in streams))
        n = len(well)
        said = ngettext("%(n)s 个账号：%(age)s内都读过", "%(n)s 个账号：%(age)s内都读过", n, age=oldest)
        return [*lines, Line(_("其余账号"), said, href="/accounts")]
    return [*lines, *map(_all_well, well)]


def needing(f: Figures) -> list[Line]:
    """Accounts that do not mend themselves, each with what is wrong."""
    advice = _("打开账号页，按提示处理。")
    return [
        Line(one.name, accountwords.warning([one]), "soon" if _may_wait(one) else "danger", advice,
             f"/accounts/{one.account_id}")
        for one in f.attention
    ]  # fmt: skip


def _may_wait(one: Attention) -> bool:
    return one.life is Life.soon and not one.reason


def _all_well(streams: list[Pull]) -> Line:
    names = i18n.listed([stream_words(pull.stream) for pull in streams])
    oldest = span(max(pull.age or 0.0 for pull in streams))
    said = _("%(streams)s：%(age)s内都读过", streams=names, age=oldest)
    return Line(streams[0].account, said, href=f"/accounts/{streams[0].account_id}")


def _pull(pull: Pull) -> Line:
    name = f"{pull.account} · {stream_words(pull.stream)}"
    said = _("从未读取") if pull.age is None else _("%(age)s前读取", age=span(pull.age))
    href = f"/accounts/{pull.account_id}"
    if pull.error and not pull.failures:
        return Line(name, _("%(read)s，等待额度", read=said), "soon", i18n.said(pull.error), href)
    if pull.error:
        times = ngettext("连续失败 %(n)s 次", "连续失败 %(n)s 次", pull.failures)
        return Line(name, _("%(read)s，%(times)s", read=said, times=times), "danger", i18n.said(pull.error), href)
    late = pull.age is None or pull.age > PULL_LATE
    return Line(name, said, "soon" if late else "done", _("检查后台任务进程。") if late else "", href)


def stream_words(name: str) -> str:
    """What a stream carries; platforms may name streams we have no word for."""
    words = {
        "mentions": _("提及"), "comments": _("评论"), "messages": _("私信"), "notifications": _("通知"),
        "conversations": _("私信会话"), "letters": _("来信"),
        "incoming": _("提及和评论"),
    }  # fmt: skip
    return words.get(name, name)
