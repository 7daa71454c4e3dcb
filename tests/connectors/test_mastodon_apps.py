"""The hub as an app of a Mastodon server, and the calls it may make there."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from connectors.base import AccountRef, ConnectorError, ErrorKind, Registered
from connectors.budget import Purpose, Standing, Window
from connectors.http import Answer as Answered
from connectors.http import Http
from connectors.mastodon.client import MastodonConnector
from connectors.mastodon.wire import standing
from tests.sims.mastodon import MastodonProcess
from tests.sims.serving import Answer, Asked, served

BACK = "http://127.0.0.1:8000/accounts/authorised"
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
CONNECTOR = MastodonConnector(Http(live=False, read=2.0, total=4.0))


@pytest.fixture(scope="module")
def mastodon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MastodonProcess]:
    process = MastodonProcess(tmp_path_factory.mktemp("mastodon"))
    process.start()
    yield process
    process.kill()


def bare(url: str, **options: Any) -> AccountRef:
    """An account of which nothing is known but the server's address."""
    return AccountRef(0, "mastodon", "", "", url, {}, options)


def entered(ref: AccountRef, app: Registered) -> AccountRef:
    return dataclasses.replace(ref, options={**ref.options, **app.options}, secrets={**ref.secrets, **app.secrets})


# --- entering ---------------------------------------------------------------------------------------------------------


async def test_the_address_is_enough_to_be_granted_access(mastodon: MastodonProcess) -> None:
    ref = bare(mastodon.base_url)
    app = await CONNECTOR.register(ref, BACK, "临江市融媒体中心")
    assert app is not None
    assert app.secrets["app_secret"] not in repr(app)
    ref = entered(ref, app)
    assert await CONNECTOR.register(ref, BACK, "临江市融媒体中心") is None, "once"
    query = {name: one[0] for name, one in parse_qs(urlsplit(CONNECTOR.authorise_url(ref, BACK, "s")).query).items()}
    assert (query["client_id"], query["redirect_uri"]) == (app.options["app_key"], BACK)
    granted = httpx.post(mastodon.base_url + "/oauth/authorize", data=query | {"username": "press"}, trust_env=False)
    brought = {name: one[0] for name, one in parse_qs(urlsplit(granted.headers["location"]).query).items()}
    renewed = await CONNECTOR.exchange(ref, BACK, brought)
    assert (await CONNECTOR.check(dataclasses.replace(ref, secrets=renewed.secrets))).ok


async def test_what_a_server_is_told_of_us() -> None:
    asked: list[dict[str, list[str]]] = []

    def answer(one: Asked) -> Answer:
        asked.append({"path": [one.path], **parse_qs(one.body.decode())})
        return Answer.of({"client_id": "key", "client_secret": "secret"})

    with served(answer) as url:
        await CONNECTOR.register(bare(url + "/"), "https://hub.example.gov.cn/accounts/authorised", "融" * 80)
    assert asked == [{
        "path": ["/api/v1/apps"], "client_name": ["融" * 60], "scopes": ["read write"],
        "redirect_uris": ["https://hub.example.gov.cn/accounts/authorised"], "website": ["https://hub.example.gov.cn"],
    }]  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer.of({"error": "This action is not allowed"}, 403), ErrorKind.permission),
        (Answer.of({"error": "Validation failed"}, 422), ErrorKind.permission),
        (Answer(b"<h1>Forbidden</h1>", 403), ErrorKind.permission),
        (Answer(b"<h1>Not found</h1>", 404), ErrorKind.not_found),
        (Answer(b"", 302, {"Location": "/login"}), ErrorKind.protocol),
        (Answer(b"<h1>bad gateway</h1>", 502), ErrorKind.transient),
        (Answer.of({"error": "Too many requests"}, 429), ErrorKind.rate_limited),
        (Answer(b"<h1>Welcome</h1>"), ErrorKind.protocol),
        (Answer.of([]), ErrorKind.protocol),
        (Answer.of({"client_id": "k"}), ErrorKind.protocol),
        (Answer.of({"client_id": "", "client_secret": "s"}), ErrorKind.protocol),
        (Answer.of({"client_id": 7, "client_secret": ["s"]}), ErrorKind.protocol),
        (Answer.of({"client_id": "a b", "client_secret": "s\n"}), ErrorKind.protocol),
        (Answer.of({"client_id": "k" * 5000, "client_secret": "s"}), ErrorKind.protocol),
        (Answer(b"[" * 100_000), ErrorKind.protocol),
        (None, ErrorKind.transient),
    ],
)
async def test_a_server_that_gives_no_key_is_an_error_in_words(answer: Answer | None, kind: ErrorKind) -> None:
    with served(lambda _: answer) as url, pytest.raises(ConnectorError) as caught:
        await CONNECTOR.register(bare(url), BACK, "政声")
    assert caught.value.kind is kind
    assert any("\u4e00" <= character <= "\u9fff" for character in caught.value.human)


async def test_a_key_that_was_typed_is_left_alone() -> None:
    ref = bare("http://127.0.0.1:9", app_key="typed")
    assert await CONNECTOR.register(dataclasses.replace(ref, secrets={"app_secret": "s"}), BACK, "政声") is None
    with pytest.raises(ConnectorError) as caught:
        await CONNECTOR.register(ref, BACK, "政声")
    assert "应用密钥" in caught.value.human


@pytest.mark.parametrize(
    ("of_key", "back", "again"),
    [
        (Answer.of({"access_token": "t"}), BACK, False),
        (Answer.of({"error": "invalid_client"}, 401), BACK, True),
        (Answer.of({"error": "unsupported_grant_type"}, 400), BACK, False),
        (Answer(b"<h1>bad gateway</h1>", 502), BACK, False),
        (None, BACK, False),
        (Answer.of({"access_token": "t"}), "http://127.0.0.1:9000/accounts/authorised", True),
    ],
)
async def test_our_own_key_is_got_anew_only_where_it_serves_no_more(
    of_key: Answer | None, back: str, again: bool
) -> None:
    fresh = Answer.of({"client_id": "key2", "client_secret": "secret2"})
    with served(lambda asked: fresh if asked.path == "/api/v1/apps" else of_key) as url:
        ref = bare(url, app_key="key1", registered={"key": "key1", "back": BACK})
        app = await CONNECTOR.register(dataclasses.replace(ref, secrets={"app_secret": "secret1"}), back, "政声")
    assert (app is not None) is again
    if app is not None:
        assert (app.options["app_key"], app.secrets) == ("key2", {"app_secret": "secret2"})


# --- the budget -------------------------------------------------------------------------------------------------------


class Counting:
    """A meter that keeps what it is told; ``left``: calls it still lets pass."""

    def __init__(self, left: int = 1000) -> None:
        self.left = left
        self.taken: list[tuple[str, int]] = []
        self.learnt: list[Standing] = []

    async def take(self, account: AccountRef, windows: Sequence[Window], calls: str) -> None:
        if len(self.taken) >= self.left:
            raise ConnectorError(ErrorKind.rate_limited, "用完了", code="budget")
        self.taken += [(calls, window.most) for window in windows]

    async def learn(self, account: AccountRef, standings: Sequence[Standing]) -> None:
        self.learnt += standings


def headed(left: int, most: int = 300, status: int = 200) -> Callable[[Asked], Answer]:
    """A server whose every answer tells how much is left."""
    until = str(int(datetime.now(UTC).timestamp()) + 120)
    told = {"X-RateLimit-Limit": str(most), "X-RateLimit-Remaining": str(left), "X-RateLimit-Reset": until}
    return lambda _: Answer(b'{"id": "1", "acct": "press", "url": "u"}', status, told)


async def test_every_call_is_counted_before_it_is_made() -> None:
    meter = Counting(left=2)
    connector = MastodonConnector(Http(live=False, meter=meter))
    with served(headed(290)) as url:
        ref = dataclasses.replace(bare(url), id=1, purpose=Purpose.reading, secrets={"token": "t"})
        assert await connector.exists(ref, "1")
        await connector.delete(ref, "1")
        with pytest.raises(ConnectorError) as caught:
            await connector.exists(ref, "1")
    assert caught.value.code == "budget"
    assert meter.taken == [("all", 300)] * 2
    [window] = connector.budgets(ref)
    assert (window.most, window.per, window.reserve) == (300, timedelta(minutes=5), 0.3)
    assert meter.learnt == [], "as we counted: nothing to write down"


async def test_what_the_server_counts_is_learnt_where_it_matters() -> None:
    meter = Counting()
    connector = MastodonConnector(Http(live=False, meter=meter))
    with served(headed(100)) as url:
        ref = dataclasses.replace(bare(url), id=1, secrets={"token": "t"})
        await connector.exists(ref, "1")
        await connector.delete(ref, "1")
    assert [(one.left, one.most, one.per) for one in meter.learnt] == [(100, 300, timedelta(minutes=5))]
    with served(headed(0, status=429)) as url, pytest.raises(ConnectorError):
        await connector.exists(dataclasses.replace(ref, base_url=url), "1")
    assert meter.learnt[-1].left == 0


@pytest.mark.parametrize(
    ("reset", "date", "seconds"),
    [
        (str(int(NOW.timestamp()) + 120), "", 120),
        ("2026-11-23T08:02:00.000Z", "", 120),
        ("2026-11-23T08:12:00.000Z", "Mon, 23 Nov 2026 08:10:00 GMT", 120),  # their clock is ten minutes ahead
        ("2026-11-23T07:52:00.000Z", "Mon, 23 Nov 2026 07:50:00 GMT", 120),
        ("2026-11-23T11:00:00.000Z", "", None),  # another, longer window
        ("soon", "nonsense", None),
        ("", "", None),
    ],
)
def test_when_the_window_ends_is_told_by_their_own_clock(reset: str, date: str, seconds: int | None) -> None:
    headers = {"x-ratelimit-limit": "300", "x-ratelimit-remaining": "7", "x-ratelimit-reset": reset, "date": date}
    told = standing(Answered(200, headers, b"", write=False), NOW)
    assert (told and told.resets_at) == (None if seconds is None else NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize("odd", ["", "-1", "many", "9" * 40, "²"])
def test_odd_numbers_say_nothing(odd: str) -> None:
    reset = "2026-11-23T08:02:00.000Z"
    for headers in (
        {"x-ratelimit-limit": "300", "x-ratelimit-remaining": odd, "x-ratelimit-reset": reset},
        {"x-ratelimit-limit": odd, "x-ratelimit-remaining": "7", "x-ratelimit-reset": reset},
    ):
        assert standing(Answered(200, headers, b"", write=False), NOW) is None


@pytest.mark.parametrize("first", [True, False], ids=["the first walk", "later"])
async def test_a_budget_smaller_than_a_page_still_reads_everything_once(mastodon: MastodonProcess, first: bool) -> None:
    mastodon.reset()
    meter = Counting()
    connector = MastodonConnector(Http(live=False, meter=meter))
    ref = mastodon.ref(page_size=40)
    mastodon.post("bob", "@press 先来一条")
    _, cursor, _ = await walked(connector, ref, {}, meter) if not first else ((), {}, 0)
    root = mastodon.post("alice", "路灯坏了")["id"]
    sent = [mastodon.post("bob", f"@press 第 {n} 条", in_reply_to_id=root)["id"] for n in range(25)]
    meter.left, meter.taken = 10, []
    seen, _, windows = await walked(connector, ref, cursor, meter)
    assert sorted(one for one in seen if one in sent) == sorted(sent)
    assert len(seen) == len(sent) + first
    assert windows <= 4


async def walked(
    connector: MastodonConnector, ref: AccountRef, cursor: dict[str, Any], meter: Counting
) -> tuple[list[str], dict[str, Any], int]:
    """What is read until nothing more is there, the cursor then, and how often the budget ran out on the way."""
    seen: list[str] = []
    windows, more = 0, True
    while more and windows < 10:
        try:
            page = await connector.pull(ref, "mentions", cursor)
        except ConnectorError as error:
            if error.code != "budget":
                raise
            meter.taken, windows = [], windows + 1
            continue
        seen += [item.external_id for item in page.items]
        cursor, more = dict(page.cursor), page.more
    return seen, cursor, windows
