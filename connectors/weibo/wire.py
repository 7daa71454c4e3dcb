"""One call to Weibo: counted before it is made, told apart by its body, its limits learnt from what comes back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from connectors.base import AccountRef, Attachment, ConnectorError, ErrorKind, Window
from connectors.bodies import body_of
from connectors.budget import Scope, Standing
from connectors.http import Answer, Http
from connectors.options import text
from connectors.weibo.errors import article_error, error_of
from connectors.weibo.settings import hosts, number

# Every call; posts; comments. Private messages and deletions are counted among all only.
ALL, WRITE, COMMENT = "all", "write", "comment"
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
# The platform's own examples for an ordinary app; it may tell another number, and an office may have a contract.
CALLS_A_DAY, WRITES_AN_HOUR, COMMENTS_AN_HOUR, CALLS_AN_HOUR_FROM_HERE = 100, 30, 60, 15_000
# What it calls the interfaces whose limits it tells apart.
_TOLD_APART = {"/statuses/share": WRITE, "/comments/create": COMMENT}
_UNITS = {"HOURS": HOUR, "HOUR": HOUR, "DAYS": DAY, "DAY": DAY, "MINUTES": timedelta(minutes=1)}
_BY_HOUSE, _BY_USER, _TOO_OFTEN = "10022", ("10023", "10024"), "20016"


def windows(account: AccountRef) -> tuple[Window, ...]:
    """The account's budget: what the platform told (``check`` has learnt it), else its examples."""
    told, seconds = number(account, "user_limit", 0), number(account, "user_limit_seconds", 0)
    own = Window(ALL, told, timedelta(seconds=seconds)) if told and seconds else Window(ALL, CALLS_A_DAY, DAY)
    writes = (Window(WRITE, WRITES_AN_HOUR, HOUR), Window(COMMENT, COMMENTS_AN_HOUR, HOUR))
    return (own, *writes, Window(ALL, CALLS_AN_HOUR_FROM_HERE, HOUR, Scope.house))


class Wire:
    """Calls for one connector."""

    def __init__(self, http: Http) -> None:
        self._http = http

    @property
    def now(self) -> datetime:
        """The clock of the door to the network."""
        return self._http.clock()

    async def get(self, account: AccountRef, url: str, **params: str) -> Any:
        """Read; the body as JSON."""
        await self.count(account)
        return await self._ask(account, "GET", url, params=params)

    async def post(
        self,
        account: AccountRef,
        url: str,
        form: Mapping[str, str],
        *,
        picture: Attachment | None = None,
        token: str = "token",  # noqa: S107  the name of a secret
        write: bool = True,
        calls: str = WRITE,
    ) -> Any:
        """Write; the body as JSON. ``picture`` goes along as the field ``pic``; ``calls``: which class of writes counts
        it, "" for none.
        """
        if write and calls:
            await self.count(account, calls)
        await self.count(account)
        return await self._ask(account, "POST", url, form=form, picture=picture, token=token, write=write, calls=calls)

    async def post_article(self, account: AccountRef, form: Mapping[str, str]) -> Any:
        """Publish a long article: the address that answers in codes of its own."""
        await self.count(account, WRITE)
        await self.count(account)
        url = f"{hosts(account).api}/proxy/article/publish.json"
        answer = await self._send(account, "POST", url, form=form, write=True)
        body = body_of(answer)
        if error := article_error(answer, body, self.now, account.secrets.values()):
            raise error
        return body

    async def exchange(self, account: AccountRef, form: Mapping[str, str]) -> Any:
        """A call about the authorisation itself, before there is a token."""
        await self.count(account)
        return await self._ask(account, "POST", f"{hosts(account).api}/oauth2/access_token", form=form, token="")

    async def count(self, account: AccountRef, calls: str = ALL) -> None:
        """Enter one call into the account's budget before it is made; raises when nothing is left."""
        await self._http.meter.take(account, windows(account), calls)

    async def limits(self, account: AccountRef) -> tuple[Standing, ...]:
        """What the platform says of the account's budget; such a call costs nothing there. Empty when it does not say.

        Also corrects the counts.
        """
        try:
            answer = await self._send(account, "GET", f"{hosts(account).api}/2/account/rate_limit_status.json")
            body = body_of(answer)
        except ConnectorError:
            return ()
        told = _standings(body, self.now) if answer.ok else ()
        await self._http.meter.learn(account, told)
        return told

    async def _ask(
        self,
        account: AccountRef,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        picture: Attachment | None = None,
        token: str = "token",  # noqa: S107  the name of a secret
        write: bool = False,
        calls: str = "",
    ) -> Any:
        answer = await self._send(
            account, method, url, params=params, form=form, picture=picture, token=token, write=write
        )
        body = body_of(answer)
        if error := error_of(answer, body, self.now, account.secrets.values()):
            raise await self._learnt(account, error, calls if write else "")
        return body

    async def _send(
        self,
        account: AccountRef,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        picture: Attachment | None = None,
        token: str = "token",  # noqa: S107  the name of a secret
        write: bool = False,
    ) -> Answer:
        headers = {"Accept": "application/json"}
        if held := account.secrets.get(token, "").strip():
            headers["Authorization"] = f"OAuth2 {held}"
        if form is not None and write and (ip := text(account, "rip")):
            form = {**form, "rip": ip}
        if picture is not None:
            return await self._http.call(method, url, form=form, files=[("pic", picture)], headers=headers, write=write)
        content = None
        if form is not None:
            # Blanks as %20: the platform's articles ask for it, and every parser of forms reads it.
            content = urlencode(form, quote_via=quote).encode()
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        return await self._http.call(method, url, params=params or None, content=content, headers=headers, write=write)

    async def _learnt(self, account: AccountRef, error: ConnectorError, written: str) -> ConnectorError:
        """The error, with the time of the next try where the platform tells it when asked. ``written``: the class of
        writes the call was counted in.
        """
        if error.kind is not ErrorKind.rate_limited:
            return error
        code = error.code.partition(" ")[0]
        calls = (written if code == _TOO_OFTEN else "") or ALL
        per, scope = HOUR, Scope.house if code == _BY_HOUSE else Scope.account
        told = await self.limits(account) if code in _BY_USER else ()
        spent = [one for one in told if one.left <= 0 and one.scope is Scope.account]
        is_day = any(one.per >= DAY for one in spent)
        if not spent:
            per = DAY if code in _BY_USER else per
            ends = error.retry_at or _end_of(self.now, HOUR)
            spent = [Standing(calls, per, left=0, resets_at=ends, scope=scope)]
            await self._http.meter.learn(account, spent)
        until = max((one.resets_at for one in spent if one.resets_at), default=None)
        kind = ErrorKind.quota_day if is_day else ErrorKind.rate_limited
        return ConnectorError(kind, error.human, code=error.code, effect=error.effect, retry_at=error.retry_at or until)


def _end_of(now: datetime, per: timedelta) -> datetime:
    return now + per - timedelta(seconds=now.timestamp() % per.total_seconds())


def _standings(body: Any, now: datetime) -> tuple[Standing, ...]:
    """``account/rate_limit_status`` understood; anything else is nothing."""
    if not isinstance(body, Mapping):
        return ()
    per = _UNITS.get(str(body.get("limit_time_unit") or "HOURS").upper(), HOUR)
    seconds = _whole(body.get("reset_time_in_seconds"))
    resets_at = now + timedelta(seconds=min(seconds, 172_800)) if seconds else None
    found = []
    for left, most, scope in (
        ("remaining_user_hits", "user_limit", Scope.account),
        ("remaining_ip_hits", "ip_limit", Scope.house),
    ):
        rest, limit = _whole(body.get(left)), _whole(body.get(most))
        if rest is not None and limit and (scope is Scope.account or per == HOUR):
            found.append(Standing(ALL, per, left=rest, most=limit, resets_at=resets_at, scope=scope))
    return (*found, *_apart(body.get("api_rate_limits"), now))


def _apart(told: Any, now: datetime) -> Iterator[Standing]:
    """What is left of single interfaces, where it is told by the hour."""
    for one in told if isinstance(told, list) else ():
        calls = _TOLD_APART.get(str(one.get("api"))) if isinstance(one, Mapping) else None
        if not calls or _UNITS.get(str(one.get("limit_time_unit")).upper()) != HOUR:
            continue
        rest, limit = _whole(one.get("remaining_hits")), _whole(one.get("limit"))
        if rest is not None and limit:
            yield Standing(calls, HOUR, left=rest, most=limit, resets_at=_end_of(now, HOUR))


def _whole(value: Any) -> int | None:
    """A whole number not below 0, given as number or text."""
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if 0 <= number < 10**9 else None
