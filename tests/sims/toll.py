"""A small platform that counts every call, ends its access and gives it anew, over real HTTP: the judge of budgets,
tokens and grants by page.

::

    async with serving(Toll()) as toll:
        ref = toll.ref(account_id=1)
        toll.mention("路灯坏了")
        page = await TollConnector(Http(live=False, meter=meter)).pull(ref, "mentions", {})
        toll.calls          # every call it took, in order; more than ``daily`` a day are answered 429
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from connectors.base import (
    AccountRef,
    Author,
    Capability,
    ConnectorError,
    Done,
    ErrorKind,
    Grant,
    Granted,
    Health,
    Inbound,
    Kind,
    Limits,
    Outcome,
    Outgoing,
    OwnItems,
    Page,
    Problem,
    PushAnswer,
    RawItem,
    Registered,
    Reject,
    Renewed,
    Window,
)
from connectors.defaults import Defaults
from connectors.forms import AccountForm, Field, Place
from connectors.http import Http
from hub import clock

DAY = timedelta(days=1)
FORM = AccountForm(
    platform="toll", label="收费平台", note="测试用", authorised_by_page=True,
    fields=(
        Field("base_url", "平台地址", Place.base_url),
        Field("app_key", "应用编号", Place.option),
        Field("app_secret", "应用密钥", Place.secret),
        Field("token", "访问令牌", Place.secret, by_page=True),
    ),
)  # fmt: skip
# The same where apps are entered by program.
SELF_MADE = replace(
    FORM, registers=True,
    fields=tuple(replace(one, required=one.name in ("base_url", "token")) for one in FORM.fields),
)  # fmt: skip


class Toll:
    """The platform's own state. ``lasts``: how long a token lives; ``is_last``: it says that hardly another will be
    given; ``uid``: whose page a visitor is signed in on."""

    def __init__(self, daily: int = 100, lasts: timedelta | None = None, *, is_last: bool = False) -> None:
        self.daily = daily
        self.lasts = lasts
        self.is_last = is_last
        self.url = ""
        self.uid = "1001"
        self.mentions: list[str] = []
        self.replies: list[dict[str, str]] = []
        self.calls: list[tuple[datetime, str]] = []
        self.refused = 0
        self.refreshes = 0
        self.is_down = False
        self.is_revoked = False
        self.slow = 0.0
        self.takes_apps = True
        self.apps: dict[str, str] = {"k1": "secret-of-app"}
        self._codes: dict[str, tuple[str, str]] = {}
        self._tokens: dict[str, tuple[str, datetime | None]] = {}
        self._number = 0

    def grant(self, uid: str = "") -> str:
        """A living token."""
        self._number += 1
        token = f"token-{self._number}-of-toll"
        self._tokens[token] = (uid or self.uid, clock.now() + self.lasts if self.lasts else None)
        return token

    def end_tokens(self) -> None:
        """No token given so far lives any longer."""
        self._tokens.clear()

    def mention(self, text: str) -> str:
        """A citizen says something; its number as text."""
        self.mentions.append(text)
        return str(len(self.mentions))

    def ref(self, account_id: int = 0, **more: Any) -> AccountRef:
        """An account here with a living token."""
        secrets = {"token": self.grant(), "app_secret": "secret-of-app"}
        return AccountRef(account_id, "toll", "收费号", self.uid, self.url, secrets, {"app_key": "k1"}, **more)

    def app(self) -> Starlette:
        """What is served."""
        return Starlette(routes=[
            Route("/apps", self._enter, methods=["POST"]),
            Route("/authorize", self._page), Route("/token", self._token, methods=["POST"]),
            Route("/me", self._me), Route("/unread", self._unread), Route("/mentions", self._mentions),
            Route("/reply", self._reply, methods=["POST"]),
        ])  # fmt: skip

    async def _enter(self, request: Request) -> Response:
        """An app entered by program."""
        await asyncio.sleep(self.slow)
        if not self.takes_apps:
            return JSONResponse({"error": "forbidden"}, 403)
        key = f"k{len(self.apps) + 1}"
        self.apps[key] = f"secret-of-{key}"
        return JSONResponse({"key": key, "secret": self.apps[key]})

    async def _page(self, request: Request) -> Response:
        """The page a person grants on; ``?press=no`` is the refusal. Answers with the address to go back to."""
        back, state = request.query_params["redirect_uri"], request.query_params["state"]
        if request.query_params.get("press") == "no":
            return HTMLResponse(f"{back}?{urlencode({'error': 'access_denied', 'state': state})}")
        code = f"code-{len(self._codes)}"
        self._codes[code] = (self.uid, request.query_params["client_id"])
        return HTMLResponse(f"{back}?{urlencode({'code': code, 'state': state})}")

    async def _token(self, request: Request) -> Response:
        form = await request.form()
        await asyncio.sleep(self.slow)
        if form["app_secret"] not in self.apps.values() or self.is_revoked:
            return JSONResponse({"error": "revoked"}, 403)
        if form["grant_type"] == "refresh":
            self.refreshes += 1
            return self._given(self.uid)
        uid, key = self._codes.pop(str(form["code"]), ("", ""))
        return (
            self._given(uid)
            if uid and self.apps.get(key) == form["app_secret"]
            else JSONResponse({"error": "bad_code"}, 400)
        )

    def _given(self, uid: str) -> Response:
        seconds = self.lasts.total_seconds() if self.lasts else 0
        told = {"token": self.grant(uid), "expires_in": seconds, "uid": uid, "name": f"号{uid}", "last": self.is_last}
        return JSONResponse(told)

    def _passes(self, request: Request, call: str) -> Response | None:
        """Every call pays; then: is the token alive?"""
        now = clock.now()
        if self.is_down:
            return HTMLResponse("<h1>bad gateway</h1>", 502)
        today = Counter(clock.local(at).date() for at, _ in self.calls)[clock.local(now).date()]
        if today >= self.daily:
            self.refused += 1
            return JSONResponse({"error": "limit"}, 429)
        self.calls.append((now, call))
        until = self._tokens.get(request.headers.get("authorization", "").removeprefix("Bearer "))
        if until is None or (until[1] is not None and until[1] <= now):
            return JSONResponse({"error": "expired"}, 401)
        return None

    async def _me(self, request: Request) -> Response:
        if refused := self._passes(request, "me"):
            return refused
        uid, until = self._tokens[request.headers["authorization"].removeprefix("Bearer ")]
        return JSONResponse({"uid": uid, "name": f"号{uid}", "until": until.isoformat() if until else ""})

    async def _unread(self, request: Request) -> Response:
        since = int(request.query_params["since"])
        return self._passes(request, "unread") or JSONResponse({"count": len(self.mentions) - since})

    async def _mentions(self, request: Request) -> Response:
        since = int(request.query_params["since"])
        page = [
            {"id": n, "text": self.mentions[n - 1]} for n in range(since + 1, min(since + 20, len(self.mentions)) + 1)
        ]
        return self._passes(request, "mentions") or JSONResponse({"items": page})

    async def _reply(self, request: Request) -> Response:
        if refused := self._passes(request, "reply"):
            return refused
        form = await request.form()
        self.replies.append({"text": str(form["text"]), "to": str(form["to"])})
        return JSONResponse({"id": f"r{len(self.replies)}"})


@asynccontextmanager
async def serving(toll: Toll) -> AsyncIterator[Toll]:
    """The platform behind a real port of this machine, in this loop: it lives by the same clock as the test."""
    config = uvicorn.Config(toll.app(), port=0, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    toll.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield toll
    finally:
        server.should_exit = True
        await task


class TollConnector(Defaults):
    """As a real connector: probes before it reads, pays the meter before every call."""

    platform = "toll"
    label = "收费平台"
    streams: Sequence[str] = ("mentions",)

    def __init__(self, http: Http, daily: int = 100) -> None:
        self._http = http
        self.daily = daily

    def limits(self, account: AccountRef) -> Limits:
        return Limits(post_length=140, reply_length=140, pull_every=60.0)

    def measure(self, text: str) -> int:
        return len(text)

    def budgets(self, account: AccountRef) -> tuple[Window, ...]:
        return (Window("all", self.daily, DAY),)

    def capabilities(self, account: AccountRef) -> Mapping[Capability, Grant]:
        grants = {one: Grant(Granted.no, "平台没有这个接口") for one in Capability}
        grants[Capability.pull_mentions] = grants[Capability.reply_public] = Grant(Granted.yes)
        grants[Capability.metrics] = Grant(Granted.needs, "请向平台申请数据接口，由平台客服开通")
        return grants

    async def check(self, account: AccountRef) -> Health:
        body = await self._call(account, "GET", "/me")
        until = datetime.fromisoformat(body["until"]) if body["until"] else None
        return Health(True, body["uid"], body["name"], token_expires_at=until)

    async def register(self, account: AccountRef, back: str, name: str) -> Registered | None:
        if account.app:
            return None
        answer = await self._http.call("POST", f"{account.base_url}/apps", form={"name": name}, write=True)
        if not answer.ok:
            raise ConnectorError(ErrorKind.permission, "平台没有让系统自己登记应用", code=str(answer.status))
        body = answer.json()
        return Registered({"app_key": body["key"]}, {"app_secret": body["secret"]})

    def authorise_url(self, account: AccountRef, back: str, state: str) -> str:
        asked = {"client_id": account.options.get("app_key", ""), "redirect_uri": back, "state": state}
        return f"{account.base_url}/authorize?{urlencode(asked)}"

    async def exchange(self, account: AccountRef, back: str, query: Mapping[str, str]) -> Renewed:
        if query.get("error"):
            raise ConnectorError(ErrorKind.permission, "你在平台上没有同意授权", code="denied")
        return await self._granted(account, {"grant_type": "code", "code": query.get("code", "")})

    async def refresh(self, account: AccountRef) -> Renewed | None:
        return await self._granted(account, {"grant_type": "refresh"}) if account.secrets.get("app_secret") else None

    async def pull(self, account: AccountRef, stream: str, cursor: Mapping[str, Any]) -> Page:
        since = int(cursor.get("after", 0))
        if not cursor.get("more") and not (await self._call(account, "GET", f"/unread?since={since}"))["count"]:
            return Page((), {"after": since})
        items = (await self._call(account, "GET", f"/mentions?since={since}"))["items"]
        raw = tuple(RawItem(Kind.mention, str(item["id"]), json.dumps(item)) for item in items)
        more = len(items) == 20
        return Page(raw, {"after": items[-1]["id"] if items else since, "more": more}, more=more)

    async def receive(
        self, account: AccountRef, method: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> PushAnswer:
        return Reject(404, "不推送")

    def parse(self, account: AccountRef, item: RawItem) -> Inbound:
        shape = json.loads(item.payload)
        return Inbound(item.kind, item.external_id, shape["text"], Author("c1", "市民"), clock.now())

    async def reply(self, account: AccountRef, out: Outgoing) -> Outcome:
        body = await self._call(account, "POST", "/reply", form={"text": out.text, "to": out.target_id})
        return Done(body["id"])

    async def publish(self, account: AccountRef, out: Outgoing) -> Outcome:
        return await self.reply(account, out)

    async def poll_job(self, account: AccountRef, job: str) -> Outcome:
        return Done(job)

    async def find_own(self, account: AccountRef, since: datetime, out: Outgoing) -> OwnItems:
        return OwnItems((), complete=False)

    async def exists(self, account: AccountRef, external_id: str) -> bool:
        return True

    async def delete(self, account: AccountRef, external_id: str) -> None:
        return

    def validate(self, account: AccountRef, out: Outgoing) -> list[Problem]:
        return []

    async def _granted(self, account: AccountRef, form: dict[str, str]) -> Renewed:
        sent = {**form, "app_secret": account.secrets.get("app_secret", "")}
        answer = await self._http.call("POST", f"{account.base_url}/token", form=sent, write=True)
        if not answer.ok:
            raise ConnectorError(
                ErrorKind.auth_human, "平台不再承认这个应用的授权，请重新授权", code=str(answer.status)
            )
        body = answer.json()
        until = clock.now() + timedelta(seconds=body["expires_in"]) if body["expires_in"] else None
        return Renewed({"token": body["token"]}, until, body["uid"], body["name"], is_last=body["last"])

    async def _call(self, account: AccountRef, method: str, path: str, form: Mapping[str, str] | None = None) -> Any:
        await self._http.meter.take(account, self.budgets(account), "all")
        headers = {"Authorization": f"Bearer {account.secrets.get('token', '')}"}
        answer = await self._http.call(
            method, account.base_url + path, form=form, headers=headers, write=method != "GET"
        )
        if answer.status == 401:
            raise ConnectorError(ErrorKind.auth_expired, "访问令牌已过期", code="401")
        if answer.status == 429:
            raise ConnectorError(ErrorKind.quota_day, "平台说今天的次数用完了", code="429")
        if answer.status >= 500:
            raise ConnectorError(ErrorKind.transient, "平台没有响应", code=str(answer.status))
        return answer.json()
