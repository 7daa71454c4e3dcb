"""Bilibili against a simulator of its open platform: signature, access, articles, figures, codes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connectors.base import (
    Attachment,
    ByHand,
    Capability,
    ConnectorError,
    Done,
    Effect,
    ErrorKind,
    Granted,
    Kind,
    Outgoing,
    Pending,
)
from connectors.bilibili.articles import content_of
from connectors.bilibili.client import BilibiliConnector
from connectors.bilibili.errors import CODES, MAYBE_DONE
from connectors.bilibili.signature import digest
from connectors.http import Http
from tests.sims.bilibili import OPENID, Bilibili, bilibili
from workflows.delivery.matching import Trace, find_match

PICTURE = Attachment("a.png", "image/png", b"\x89PNG\r\n\x1a\n" + b"0" * 50)
LONG = "关于停水的通知：\n\n" + "因管网检修，<城东> & 城南停水。" * 20
OUT = Outgoing(LONG, "k", title="停水通知")


@pytest.fixture
def there() -> Iterator[Bilibili]:
    with bilibili() as state:
        yield state


@pytest.fixture
def hub() -> BilibiliConnector:
    return BilibiliConnector(Http(live=False))


def chinese(text: str) -> bool:
    return any("\u4e00" <= char <= "\u9fff" for char in text)


def test_the_signature_is_that_of_a_vector_others_computed() -> None:
    """From an independent client's tests (HMAC of the six sorted lines, key secret-golden-0001)."""
    headers = {
        "x-bili-accesskeyid": "akid-golden-0001",
        "x-bili-content-md5": "a0eda7d45905af8a3c47c956cc317c82",
        "x-bili-signature-method": "HMAC-SHA256",
        "x-bili-signature-nonce": "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
        "x-bili-signature-version": "1.0",
        "x-bili-timestamp": "1785000000",
        "Accept": "application/json",
    }
    expected = "219c5d3668350dc85343e0e12941a968be2459f096f81e2f64fd49a4cf902681"
    assert digest("secret-golden-0001", headers) == expected


# access ---------------------------------------------------------------------------------------------------------------


async def test_a_person_grants_access(hub: BilibiliConnector, there: Bilibili) -> None:
    ref = there.ref()
    url = hub.authorise_url(ref, "https://hub.example.gov.cn/back", "s")
    assert url.startswith(f"{there.base_url}/pc/account-pc/auth/oauth?client_id=395c8275&gourl=https%3A%2F%2Fhub")
    fresh = await hub.exchange(replace(ref, external_id=""), "b", {"code": "good"})
    assert (fresh.account_id, fresh.account_name) == (OPENID, "临江发布")
    assert fresh.expires_at is not None
    assert timedelta(days=29) < fresh.expires_at - datetime.now(UTC) <= timedelta(days=30)
    for query, ask in (({}, ref), ({"code": "used"}, ref), ({"code": "good"}, replace(ref, external_id="another"))):
        with pytest.raises(ConnectorError) as caught:
            await hub.exchange(ask, "b", query)
        assert caught.value.kind is ErrorKind.auth_human
        assert "an-app-secret" not in str(caught.value)
    assert hub.authorise_url(replace(ref, options={}), "b", "s") == ""


async def test_tokens_are_renewed_once_each(hub: BilibiliConnector, there: Bilibili) -> None:
    ref = there.ref()
    fresh = await hub.refresh(ref)
    assert fresh is not None
    assert fresh.secrets == {"token": there.token, "refresh_token": there.refresh_token}
    with pytest.raises(ConnectorError) as caught:
        await hub.refresh(ref)
    assert caught.value.kind is ErrorKind.auth_human
    with pytest.raises(ConnectorError) as caught:
        await hub.check(ref)
    assert caught.value.kind is ErrorKind.auth_expired
    assert await hub.refresh(replace(ref, secrets={})) is None


async def test_a_check_learns_the_rights(hub: BilibiliConnector, there: Bilibili) -> None:
    health = await hub.check(there.ref())
    assert (health.ok, health.learned) == (True, {"scopes": "USER_INFO,ATC_BASE,ATC_DATA,ARC_BASE,ARC_DATA"})
    assert not (await hub.check(replace(there.ref(), secrets={}))).ok
    assert not (await hub.check(replace(there.ref(), external_id="another"))).ok
    grants = hub.capabilities(there.ref(scopes="USER_INFO"))
    assert grants[Capability.metrics].granted is Granted.needs
    assert grants[Capability.publish].granted is Granted.yes, "by a person"
    assert hub.limits(there.ref(scopes="USER_INFO")).by_hand
    assert hub.limits(there.ref(category="", tags="")).by_hand
    assert not hub.limits(there.ref(**dict(health.learned))).by_hand
    assert all(chinese(g.reason) for g in grants.values() if g.granted is not Granted.yes)


# articles -------------------------------------------------------------------------------------------------------------


async def test_an_article_goes_through_review_and_is_found_counted_and_removed(
    hub: BilibiliConnector, there: Bilibili
) -> None:
    ref, start = there.ref(), datetime.now(UTC) - timedelta(minutes=1)
    out = replace(OUT, attachments=(PICTURE,))
    pending = await hub.publish(ref, out)
    assert isinstance(pending, Pending)
    sent = there.articles[0]
    assert sent["title"] == "停水通知"
    assert len(sent["summary"]) == 200
    assert sent["content"].startswith("<p>关于停水的通知：</p><p>因管网检修，&lt;城东&gt; &amp; 城南停水。")
    assert sent["content"].endswith('<p><img src="https://i0.hdslb.com/bfs/article/1.png"></p>')
    assert sent["image_urls"] == "https://i0.hdslb.com/bfs/article/1.png"
    assert isinstance(await hub.poll_job(ref, pending.job), Pending)
    own = await hub.find_own(ref, start, out)
    match = find_match(Trace(out.text, "k", start), own.items)
    assert match is not None, "an unknown outcome is cleared up by the text"
    sent["group"] = 2
    done = await hub.poll_job(ref, pending.job)
    assert isinstance(done, Done)
    assert done.external_id == match.external_id
    assert done.url == f"https://www.bilibili.com/read/{done.external_id}"
    (figures,) = await hub.metrics(ref, [done.external_id, "cv999", "123456"])
    assert (figures.reads, figures.likes, figures.comments, figures.reposts) == (10, 2, 3, 4)
    assert await hub.exists(ref, done.external_id)
    await hub.delete(ref, done.external_id)
    assert not await hub.exists(ref, done.external_id)
    await hub.delete(ref, done.external_id)


async def test_a_refused_article_says_why(hub: BilibiliConnector, there: Bilibili) -> None:
    pending = await hub.publish(there.ref(), OUT)
    assert isinstance(pending, Pending)
    there.articles[0] |= {"group": 3, "reason": "含有联系方式"}
    with pytest.raises(ConnectorError) as caught:
        await hub.poll_job(there.ref(), pending.job)
    assert caught.value.kind is ErrorKind.content_rejected
    assert "含有联系方式" in caught.value.human


async def test_an_old_article_is_still_found_in_its_group(hub: BilibiliConnector, there: Bilibili) -> None:
    pending = await hub.publish(there.ref(), OUT)
    assert isinstance(pending, Pending)
    for _ in range(30):
        await hub.publish(there.ref(), OUT)
    for article in there.articles:
        article["group"] = 2
    assert isinstance(await hub.poll_job(there.ref(), pending.job), Done)


async def test_what_breaks_says_whether_it_may_be_there(hub: BilibiliConnector, there: Bilibili) -> None:
    there.drops = 1
    with pytest.raises(ConnectorError) as caught:
        await hub.publish(there.ref(), OUT)
    assert caught.value.effect is Effect.unknown
    there.drops = 1
    with pytest.raises(ConnectorError) as caught:
        await hub.publish(there.ref(), replace(OUT, attachments=(PICTURE,)))
    assert caught.value.effect is Effect.not_done, "a picture alone shows nobody anything"
    there.codes = [4004]
    with pytest.raises(ConnectorError) as caught:
        await hub.publish(there.ref(), OUT)
    assert caught.value.effect is Effect.unknown, "what it has seen before may be there"
    there.codes = [129999]
    with pytest.raises(ConnectorError) as caught:
        await hub.publish(there.ref(), OUT)
    assert (caught.value.kind, caught.value.effect) == (ErrorKind.content_rejected, Effect.not_done)


def test_rules_are_told_beforehand(hub: BilibiliConnector, there: Bilibili) -> None:
    ref = there.ref()
    assert not hub.validate(ref, OUT)
    assert [p.field for p in hub.validate(ref, replace(OUT, title=""))] == ["title"]
    assert [p.field for p in hub.validate(ref, replace(OUT, title="字" * 41))] == ["title"]
    assert [p.field for p in hub.validate(ref, replace(OUT, text="短"))] == ["text"]
    assert not hub.validate(ref, replace(OUT, text="短", attachments=(PICTURE,) * 3))
    assert hub.validate(ref, Outgoing("好", "k", "1", Kind.comment))
    assert content_of("a\n\nb", ()) == "<p>a</p><p>b</p>"


async def test_videos_are_published_by_a_person_and_counted(hub: BilibiliConnector, there: Bilibili) -> None:
    ref = there.ref()
    assert isinstance(await hub.publish(ref, Outgoing("通知", "k", title="停水", form="by_hand")), ByHand)
    assert isinstance(await hub.publish(there.ref(category="", tags=""), Outgoing("通知", "k", title="停水")), ByHand)
    own = hub.read_link(ref, "【停水】 https://www.bilibili.com/video/BV1xx411c7mD/ 看看")
    there.videos[own] = {"view": 7, "like": 1, "reply": 0, "share": 2}
    (figures,) = await hub.metrics(ref, [own, "BV1xx411c7mX"])
    assert (figures.external_id, figures.reads) == ("BV1xx411c7mD", 7)
    assert hub.read_link(ref, "https://www.bilibili.com/read/cv5467") == "cv5467"
    assert hub.read_link(ref, "https://www.bilibili.com/opus/123456789012345678") == "123456789012345678"
    assert await hub.exists(ref, "123456789012345678"), "nobody can look it up"
    with pytest.raises(ConnectorError) as caught:
        await hub.delete(there.ref(tags=""), own)
    assert caught.value.kind is ErrorKind.permission


async def test_a_clock_that_is_off_is_told(there: Bilibili) -> None:
    late = BilibiliConnector(Http(live=False, clock=lambda: datetime.now(UTC) - timedelta(minutes=11)))
    with pytest.raises(ConnectorError) as caught:
        await late.check(there.ref())
    assert "校准服务器时间" in caught.value.human


@pytest.mark.parametrize("code", sorted(CODES))
async def test_every_code_of_the_table_is_told_in_words(hub: BilibiliConnector, there: Bilibili, code: int) -> None:
    kind, human = CODES[code]
    there.codes = [code]
    with pytest.raises(ConnectorError) as caught:
        await hub.publish(there.ref(), OUT)
    assert (caught.value.kind, caught.value.human) == (kind, human)
    assert chinese(human)
    assert caught.value.effect is (Effect.unknown if code in MAYBE_DONE else Effect.not_done)
    assert (caught.value.retry_at is not None) is (kind is ErrorKind.quota_day)
