"""What pages say of accounts: health, access, budgets, and the next step, in the language of the reader."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub import clock
from hub.i18n import _, moment, ngettext, number, said
from hub.models import Account, CircuitState, Stream
from workflows.accounts import Attention, Health
from workflows.circuits import BY_HAND_ONLY, REVOKED
from workflows.metering import Left, override_name, words_of_calls, words_of_span
from workflows.tokens import Life, life_of

# No push for so long: somebody should look whether the platform still sends them.
QUIET = timedelta(days=7)
TONES = {
    Health.broken: "danger", Health.expiring: "soon", Health.failing: "danger", Health.waiting: "soon",
    Health.fine: "done", Health.off: "", Health.gone: "",
}  # fmt: skip


def health_words(health: Health) -> str:
    """One word for how an account is doing."""
    words = {
        Health.broken: _("已自动停用"), Health.expiring: _("授权将到期"), Health.failing: _("读取失败"),
        Health.waiting: _("等待额度"), Health.fine: _("正常"), Health.off: _("已停用"), Health.gone: _("已断开"),
    }  # fmt: skip
    return words[health]


def health_tone(health: Health) -> str:
    """The tone of that word."""
    return TONES[health]


@dataclass(frozen=True, slots=True)
class Told:
    """A fact, its tone, and what to do; ``advice`` is empty where there is nothing to do."""

    said: str
    tone: str
    advice: str = ""


def access(account: Account, by_page: bool, now: datetime) -> Told | None:
    """How long the access lives and what to do; None where the platform says nothing of it."""
    life, until = life_of(account, now), account.expires_at
    if life is Life.unknown:
        return None
    if life is Life.dead:
        return Told(_("已失效"), "danger", _grant_anew(by_page))
    assert until is not None
    if life is Life.fine and account.is_renewable:
        return Told(_("%(time)s 到期前自动更新", time=moment(until)), "done")
    told = _("%(time)s 到期（还有 %(left)s）", time=moment(until), left=_left(until, now))
    tones = {Life.fine: "done", Life.soon: "soon", Life.sooner: "danger"}
    return Told(told, tones[life], "" if life is Life.fine else _renew(by_page))


def _renew(by_page: bool) -> str:
    if by_page:
        return _("请点「重新授权」，用这个账号登录平台并同意。到期前办好，收取和发布不会中断。")
    return _("请到平台后台取得新的凭据，填在下面「凭据和设置」里。到期前办好，收取和发布不会中断。")


def _grant_anew(by_page: bool) -> str:
    if by_page:
        return _("请点「重新授权」，用这个账号登录平台并同意。办好后收取和发布自动恢复。")
    return _("请到平台后台取得新的凭据，填在下面「凭据和设置」里。保存后收取和发布自动恢复。")


def push_advice(account: Account, now: datetime) -> str:
    """What to do where pushes stay away, or empty: platforms end a subscription that went wrong, and tell nobody."""
    if account.last_push_at is None:
        return _("请核对平台后台是否填了下面的推送地址；市民发来一条，才会有第一次推送。")
    if now - account.last_push_at < QUIET:
        return ""
    return _("很久没有收到了。市民确实没有来信的不用管；否则请到平台后台核对推送地址和订阅。")


def advice_on(stream: Stream) -> str:
    """What to do about a stream that was not read; empty while nothing is wrong with it."""
    if not stream.error:
        return ""
    if not stream.failures:
        return _("到时自动继续，内容不会丢失。")
    if stream.error_kind == "permission":
        return _("请看下面「能做什么」里要向谁申请；办好后点「马上读取」。")
    if stream.error_kind in ("transient", "rate_limited", "quota_day"):
        return _("系统会自己再试，内容不会丢失，不用处理。")
    return _("系统会自己再试；一直如此，请点「核对连接」看原因，或把这句话发给维护人员。")


def _left(until: datetime, now: datetime) -> str:
    hours = max(0, int((until - now).total_seconds() // 3600))
    if hours < 48:
        return ngettext("%(n)s 小时", "%(n)s 小时", hours)
    return ngettext("%(n)s 天", "%(n)s 天", hours // 24)


def losing(cases: int) -> str:
    """What disconnecting means for the open cases whose way back it takes away; empty: there are none."""
    if not cases:
        return ""
    told = ngettext("还有 %(n)s 件没有办结的工单来自这个账号。", "还有 %(n)s 件没有办结的工单来自这个账号。", cases)
    return told + _("断开后不能在平台上答复，工单照常办理；请另行答复来信人，再在工单里登记。")


def renewing(account: Account) -> str:
    """Why the last renewal by itself failed; empty when it did not."""
    return said(account.renew_error) if account.renew_error else ""


def circuit(account: Account, by_page: bool) -> Told | None:
    """Why the account was stopped by itself and what a person does; None while it runs."""
    if account.circuit is not CircuitState.open:
        return None
    return Told(said(account.circuit_reason), "danger", _mend(account.circuit_kind, by_page))


def _mend(kind: str, by_page: bool) -> str:
    if kind in ("auth_human", "auth_expired", REVOKED):
        if by_page:
            return _("请点「重新授权」。授权成功后自动恢复，积压的内容接着收取和发出。")
        return _("请到平台后台取得新的凭据，填在下面「凭据和设置」里；保存成功后自动恢复。")
    if kind == "account_risk":
        return _("请登录平台，按平台的提示处理好这个账号，再点「已处理，再试」。")
    return _("平台恢复后系统会自己接上；确认平台已恢复的，点「已处理，再试」马上接上。")


def probing(account: Account) -> str:
    """When it is tried by itself."""
    if account.circuit_kind in BY_HAND_ONLY or account.probe_at is None:
        return _("系统不会自己再试，等您处理。")
    return _("系统会在 %(time)s 自己再试一次。", time=moment(account.probe_at))


@dataclass(frozen=True, slots=True)
class Budget:
    """One window in words. ``share``: used, reserved and free parts of it in percent."""

    name: str
    title: str
    used: str
    kept: str
    resets: str
    tone: str
    most: int
    reserve: int
    is_own: bool
    has_own_reserve: bool
    shared: str
    parts: Sequence[dict[str, object]]


def budgets(lefts: Sequence[Left]) -> list[Budget]:
    """Every window: what is used, what is left, what is kept for people, when it begins anew."""
    return [_budget(left) for left in lefts]


def _budget(one: Left) -> Budget:
    most = one.allowance.most
    resets = _("%(time)s 重新计算", time=moment(one.ends_at)) if one.ends_at else _("还没有用过")
    tone = "danger" if not one.left else "soon" if not one.left_to_read else "done"
    return Budget(
        name=override_name(one.window),
        title=_("%(calls)s（%(span)s）", calls=said(words_of_calls(one.window.calls)),
                span=said(words_of_span(one.window.per))),
        used=_("已用 %(used)s / %(most)s 次，还剩 %(left)s 次", used=number(min(one.used, most)), most=number(most),
               left=number(one.left)),
        kept=_kept(one),
        resets=resets, tone=tone, most=most, reserve=round(one.allowance.reserve * 100),
        is_own=one.allowance.is_overridden, has_own_reserve=one.allowance.has_own_reserve,
        shared=_shared(one.window.scope.value), parts=_parts(one),
    )  # fmt: skip


def _shared(scope: str) -> str:
    """With whom a window is shared; empty: it is the account's alone."""
    return {"app": _("同一应用的账号合用。"), "house": _("本系统在这个平台的全部账号合用。")}.get(scope, "")


def _kept(one: Left) -> str:
    if not one.left:
        return _("已用完，到时自动继续；等待的内容都不会丢失。")
    if not one.left_to_read:
        return _("系统读取的部分已用完，余下的留给人工答复和发布；到时自动继续读取，内容不会丢失。")
    if not one.kept:
        return _("为人工保留的部分已用完，余下的先到先用。")
    return _("其中 %(n)s 次留给人工答复和发布。", n=number(one.kept))


def _parts(one: Left) -> list[dict[str, object]]:
    most = max(1, one.allowance.most)
    used = min(100.0, one.used / most * 100)
    kept = min(100.0 - used, one.kept / most * 100)
    found = [
        (used, 7, _("已用")), (100.0 - used - kept, 8, _("可读取")), (kept, 2, _("留给人工")),
    ]  # fmt: skip
    return [{"share": round(share, 2), "colour": colour, "text": text} for share, colour, text in found if share > 0]


def warning(found: Sequence[Attention]) -> str:
    """The accounts that need a person, as one sentence for the head of an administrator's pages."""
    first = found[0]
    if first.reason:
        told = _("账号「%(name)s」已自动停用：%(why)s", name=first.name, why=said(first.reason))
    elif first.life is Life.dead:
        told = _("账号「%(name)s」的授权已失效，收取和发布已停止", name=first.name)
    else:
        assert first.expires_at is not None
        left = _left(first.expires_at, clock.now())
        told = _("账号「%(name)s」的授权还有 %(left)s 到期", name=first.name, left=left)
    more = len(found) - 1
    return told if not more else _("%(first)s；另有 %(n)s 个账号要处理", first=told, n=number(more))
