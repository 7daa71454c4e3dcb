"""Answers, articles and mass messages on the pretend platform, with everything that can go wrong in between."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from connectors import pictures
from connectors.base import (
    Capability,
    ConnectorError,
    Done,
    Effect,
    ErrorKind,
    Granted,
    Kind,
    Outcome,
    Outgoing,
    Pending,
    Published,
)
from connectors.http import Answer, Http
from connectors.wechat.articles import body_of, html_of, places
from connectors.wechat.client import WechatConnector
from tests.connectors.wechat import Desk, answer, article
from tests.sims.wechat import JPG, picture

K = ErrorKind


async def ended(desk: Desk, outcome: Outcome) -> Outcome:
    """What became of a pending job."""
    for _ in range(60):
        if not isinstance(outcome, Pending):
            return outcome
        await asyncio.sleep(0.1)
        outcome = await desk.client.poll_job(desk.ref, outcome.job)
    raise AssertionError("still pending")


async def failure(call: object) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        await call  # type: ignore[misc]
    return caught.value


def openid(desk: Desk, text: str = "路灯坏了") -> str:
    return str(desk.control.say(desk.account, text)["openid"])


# --- the token --------------------------------------------------------------------------------------------------------


async def test_asking_for_the_token_again_gives_the_same_until_its_end(wechat_desk: Desk) -> None:
    first = await wechat_desk.client.refresh(wechat_desk.ref)
    again = await wechat_desk.client.refresh(wechat_desk.ref)
    assert first is not None
    assert again is not None
    assert first.secrets == again.secrets
    assert "access_token" not in repr(first)
    assert first.expires_at is not None
    assert timedelta(minutes=110) < first.expires_at - wechat_desk.now() <= timedelta(hours=2)
    wechat_desk.control.post("clock", seconds=7200 - 200)
    later = await wechat_desk.client.refresh(wechat_desk.ref)
    assert later is not None
    assert later.secrets != first.secrets
    old = replace(wechat_desk.ref, secrets={**wechat_desk.ref.secrets, **first.secrets})
    assert await wechat_desk.client.exists(old, "nothing") is False, "both live for five minutes"
    wechat_desk.control.post("clock", seconds=300)
    assert (await failure(wechat_desk.client.exists(old, "nothing"))).kind is K.auth_expired


async def test_a_dead_token_asks_for_a_new_one_and_a_wrong_secret_for_a_person(wechat_desk: Desk) -> None:
    wechat_desk.control.post("revoke", app=wechat_desk.account["app"])
    out = answer("好", openid(wechat_desk))
    error = await failure(wechat_desk.client.reply(wechat_desk.ref, out))
    assert (error.kind, error.effect) == (K.auth_expired, Effect.not_done)
    await wechat_desk.renewed()
    assert isinstance(await wechat_desk.client.reply(wechat_desk.ref, out), Done)
    wrong = replace(wechat_desk.ref, secrets={**wechat_desk.ref.secrets, "app_secret": "wrong"})
    assert (await failure(wechat_desk.client.refresh(wrong))).kind is K.auth_human
    assert (await wechat_desk.client.check(wrong)).ok is False
    stranger = wechat_desk.with_options(app_key="wx0")
    assert (await failure(wechat_desk.client.refresh(stranger))).kind is K.auth_human
    assert await wechat_desk.client.refresh(replace(wechat_desk.ref, secrets={})) is None


async def test_an_address_that_is_not_listed_is_named(wechat_desk: Desk) -> None:
    wechat_desk.control.post("accounts", app=wechat_desk.account["app"], listed_ip=False)
    error = await failure(wechat_desk.client.refresh(wechat_desk.ref))
    assert error.kind is K.auth_human
    assert "127.0.0.1" in error.human
    health = await wechat_desk.client.check(wechat_desk.ref)
    assert not health.ok
    assert "白名单" in health.note


async def test_check_learns_what_is_granted(wechat_desk: Desk) -> None:
    health = await wechat_desk.client.check(
        replace(wechat_desk.ref, secrets={"app_secret": wechat_desk.account["secret"]})
    )
    assert health.ok
    assert health.account_id == wechat_desk.account["gh"]
    assert health.token_expires_at is None, "nobody need be warned of what renews itself"
    grants = wechat_desk.client.capabilities(wechat_desk.with_options(**health.learned))
    assert grants[Capability.publish].granted is Granted.yes
    wechat_desk.control.post("accounts", app=wechat_desk.account["app"], certified=False)
    poor = await wechat_desk.client.check(wechat_desk.ref)
    assert poor.ok
    grants = wechat_desk.client.capabilities(wechat_desk.with_options(**poor.learned))
    assert grants[Capability.publish].granted is Granted.needs
    assert "认证" in grants[Capability.publish].reason


# --- answers ----------------------------------------------------------------------------------------------------------


async def test_five_answers_then_the_citizen_must_write_again(wechat_desk: Desk) -> None:
    someone = openid(wechat_desk)
    for n in range(5):
        done = await wechat_desk.client.reply(wechat_desk.ref, answer(f"第{n}次：路灯<今晚>修好", someone, key=f"k{n}"))
        assert isinstance(done, Done)
        assert done.external_id == f"custom:k{n}"
        assert await wechat_desk.client.exists(wechat_desk.ref, done.external_id)
    error = await failure(wechat_desk.client.reply(wechat_desk.ref, answer("第六次", someone)))
    assert (error.kind, error.effect) == (K.window_closed, Effect.not_done)
    assert openid(wechat_desk, "还没修") == someone
    assert isinstance(await wechat_desk.client.reply(wechat_desk.ref, answer("再答", someone)), Done)
    assert wechat_desk.control.says("official") == [f"第{n}次：路灯<今晚>修好" for n in range(5)] + ["再答"]
    assert (await failure(wechat_desk.client.delete(wechat_desk.ref, "custom:k1"))).kind is K.permission


async def test_who_cannot_be_answered(wechat_desk: Desk) -> None:
    someone = openid(wechat_desk)
    wechat_desk.control.post("clock", seconds=48 * 3600 + 60)
    await wechat_desk.renewed()
    assert (await failure(wechat_desk.client.reply(wechat_desk.ref, answer("晚了", someone)))).kind is K.window_closed
    openid(wechat_desk)
    wechat_desk.control.post("unfollow", app=wechat_desk.account["app"], author="老陈")
    assert (await failure(wechat_desk.client.reply(wechat_desk.ref, answer("走了", someone)))).kind is K.target_refuses
    assert (await failure(wechat_desk.client.reply(wechat_desk.ref, answer("谁", "oNobody")))).kind is K.target_refuses


async def test_a_lost_answer_is_unknown_and_is_never_said_to_be_found(wechat_desk: Desk) -> None:
    out = answer("路灯今晚修好", openid(wechat_desk))
    wechat_desk.control.fault("drop", "message/custom/send", when="after")
    error = await failure(wechat_desk.client.reply(wechat_desk.ref, out))
    assert error.effect is Effect.unknown
    assert wechat_desk.control.says("official") == [out.text], "it had arrived"
    found = await wechat_desk.client.find_own(wechat_desk.ref, wechat_desk.now() - timedelta(minutes=1), out)
    assert (found.items, found.complete) == ((), False)


@pytest.mark.parametrize("kind", ["drop", "html", "status", "delay"])
async def test_every_trouble_before_the_answer_is_told_as_it_is(wechat_desk: Desk, kind: str) -> None:
    out = answer("好", openid(wechat_desk))
    wechat_desk.control.fault(kind, "message/custom/send", seconds=7 if kind == "delay" else 0, status=502)
    error = await failure(wechat_desk.client.reply(wechat_desk.ref, out))
    assert error.effect is Effect.unknown
    assert error.kind in (K.transient, K.protocol)


async def test_the_quota_of_a_day(wechat_desk: Desk) -> None:
    wechat_desk.control.post("accounts", app=wechat_desk.account["app"], quotas={"message": 1})
    someone = openid(wechat_desk)
    await wechat_desk.client.reply(wechat_desk.ref, answer("一", someone))
    error = await failure(wechat_desk.client.reply(wechat_desk.ref, answer("二", someone)))
    assert error.kind is K.quota_day
    assert error.retry_at is not None
    assert error.retry_at > wechat_desk.now()
    assert {w.calls for w in wechat_desk.client.budgets(wechat_desk.ref)} == {"token", "message", "media", "mass"}


# --- articles ---------------------------------------------------------------------------------------------------------


def test_pictures_stand_where_the_text_says() -> None:
    three = (picture(), picture(description='井盖 "甲"'), picture())
    text = "开头<b>\n[图2]\n\n结尾\n[图9]"
    assert places(text, 3) == [2, 3]
    assert html_of(text, three, {2: "http://a/2?x=1&y", 3: "http://a/3"}) == (
        "<p>开头&lt;b&gt;</p>"
        '<p><img src="http://a/2?x=1&amp;y" alt="井盖 &quot;甲&quot;"></p>'
        "<p>结尾</p><p>[图9]</p>"
        '<p><img src="http://a/3" alt=""></p>'
    )
    assert body_of(text, 3) == "开头<b>\n结尾\n[图9]"
    assert places("【图1】", 1) == [1], "the cover may stand in the text too"
    assert html_of("", (), {}) == ""


async def test_an_article_is_drafted_published_followed_and_found(wechat_desk: Desk) -> None:
    begun = wechat_desk.now()
    ref = wechat_desk.with_options(author="临江发布")
    pending = await wechat_desk.client.publish(ref, article("明早八点起<停水>。\n[图2]\n恢复时间另行通知。"))
    assert isinstance(pending, Pending)
    assert pending.extra["msg_data_id"].isdigit()
    assert pending.poll_after > begun
    first = await wechat_desk.client.poll_job(ref, pending.job)
    done = await ended(wechat_desk, first)
    assert isinstance(done, Done)
    assert done.url.startswith("http://mp.weixin.qq.com/")
    state = wechat_desk.control.state()
    (standing,) = state["articles"].values()
    (shown,) = standing["news_item"]
    assert (shown["title"], shown["author"]) == ("今日停水通知", "临江发布")
    assert shown["digest"] == "明早八点起<停水>。 恢复时间另行通知。"
    assert shown["content"].startswith('<p>明早八点起&lt;停水&gt;。</p><p><img src="http://mmbiz.qpic.cn/')
    assert standing["msg_data_id"] == pending.extra["msg_data_id"]
    assert state["drafts"] == {}
    found = await wechat_desk.client.find_own(ref, begun, article("明早八点起<停水>。\n[图2]\n恢复时间另行通知。"))
    assert [own.external_id for own in found.items] == [done.external_id]
    assert found.complete
    assert await wechat_desk.client.exists(ref, done.external_id)
    await wechat_desk.client.delete(ref, done.external_id)
    assert not await wechat_desk.client.exists(ref, done.external_id)
    await wechat_desk.client.delete(ref, "never-there")


@pytest.mark.parametrize("review", [2, 3, 4])
async def test_a_refusal_is_told_in_words_and_the_next_try_takes_the_same_draft(wechat_desk: Desk, review: int) -> None:
    wechat_desk.control.post("accounts", app=wechat_desk.account["app"], review=review)
    pending = await wechat_desk.client.publish(wechat_desk.ref, article())
    with pytest.raises(ConnectorError) as caught:
        await ended(wechat_desk, pending)
    assert caught.value.kind is K.content_rejected
    assert caught.value.code == f"publish_status {review}"
    wechat_desk.control.post("accounts", app=wechat_desk.account["app"], review=0)
    assert isinstance(await ended(wechat_desk, await wechat_desk.client.publish(wechat_desk.ref, article())), Done)
    assert len(wechat_desk.control.calls("draft/add")) == 1


async def test_taken_down_later(wechat_desk: Desk) -> None:
    pending = await wechat_desk.client.publish(wechat_desk.ref, article())
    done = await ended(wechat_desk, pending)
    assert isinstance(done, Done)
    assert isinstance(pending, Pending)
    wechat_desk.control.post("takedown", article_id=done.external_id)
    odd = Published(done.external_id, wechat_desk.now(), {"publish_id": "4711"})
    assert await wechat_desk.client.exists(replace(wechat_desk.ref, published=(odd,)), done.external_id), (
        "a number the platform has forgotten tells nothing"
    )
    kept = (Published(done.external_id, wechat_desk.now(), pending.extra),)
    assert not await wechat_desk.client.exists(replace(wechat_desk.ref, published=kept), done.external_id)
    assert await wechat_desk.client.poll_job(wechat_desk.ref, pending.job) == done, "it had been published"
    since = wechat_desk.now() - timedelta(minutes=1)
    assert (await wechat_desk.client.find_own(wechat_desk.ref, since, article())).items == ()


async def published(desk: Desk, count: int) -> list[dict[str, object]]:
    state = await asyncio.to_thread(desk.control.until, lambda s: len(s["articles"]) == count)
    return list(state["articles"].values())


async def test_a_submission_whose_answer_is_lost_is_found_and_stands_once(wechat_desk: Desk) -> None:
    begun = wechat_desk.now()
    wechat_desk.control.fault("drop", "freepublish/submit", when="after")
    error = await failure(wechat_desk.client.publish(wechat_desk.ref, article()))
    assert error.effect is Effect.unknown
    await published(wechat_desk, 1)
    found = await wechat_desk.client.find_own(wechat_desk.ref, begun, article())
    assert len(found.items) == 1
    assert found.items[0].text == article().text


async def test_death_between_draft_and_submission_publishes_once(wechat_desk: Desk) -> None:
    """The draft still in the box proves that nothing was published; the next try takes it."""
    begun = wechat_desk.now()
    wechat_desk.control.fault("drop", "freepublish/submit", when="before")
    error = await failure(wechat_desk.client.publish(wechat_desk.ref, article()))
    assert error.effect is Effect.unknown
    found = await wechat_desk.client.find_own(wechat_desk.ref, begun, article())
    assert (found.items, found.complete) == ((), True)
    done = await ended(wechat_desk, await wechat_desk.client.publish(wechat_desk.ref, article()))
    assert isinstance(done, Done)
    assert len(await published(wechat_desk, 1)) == 1
    assert len(wechat_desk.control.calls("draft/add")) == 1
    assert len(wechat_desk.control.calls("media/uploadimg")) == 1


async def test_a_submission_in_review_is_neither_there_nor_absent_for_sure_once_its_draft_is_gone(
    wechat_desk: Desk,
) -> None:
    begun = wechat_desk.now()
    found = await wechat_desk.client.find_own(wechat_desk.ref, begun, article("从没写过的"))
    assert (found.items, found.complete) == ((), False)


async def test_trying_again_while_the_first_is_in_review_cannot_publish_twice(wechat_desk: Desk) -> None:
    wechat_desk.control.post("accounts", app=wechat_desk.account["app"], review_seconds=1.5)
    wechat_desk.control.fault("drop", "freepublish/submit", when="after")
    await failure(wechat_desk.client.publish(wechat_desk.ref, article()))
    error = await failure(wechat_desk.client.publish(wechat_desk.ref, article()))
    assert error.effect is Effect.not_done
    await published(wechat_desk, 1)
    await asyncio.sleep(0.5)
    assert len(wechat_desk.control.state()["articles"]) == 1


async def test_a_picture_that_is_lost_on_its_way_has_published_nothing(wechat_desk: Desk) -> None:
    for path in ("material/add_material", "media/uploadimg", "draft/add"):
        wechat_desk.control.fault("drop", path, when="after")
        error = await failure(wechat_desk.client.publish(wechat_desk.ref, article()))
        assert error.effect is Effect.not_done, path
    assert wechat_desk.control.state()["articles"] == {}


async def test_other_articles_are_not_taken_for_ours(wechat_desk: Desk) -> None:
    begun = wechat_desk.now()
    for other in (
        article("另一段话"),
        article(title="另一个标题"),
        article(attachments=(picture(),), text="第一段。\n第二段。"),
    ):
        await ended(wechat_desk, await wechat_desk.client.publish(wechat_desk.ref, other))
    found = await wechat_desk.client.find_own(wechat_desk.ref, begun, article())
    assert (found.items, found.complete) == ((), False)


# --- mass messages ----------------------------------------------------------------------------------------------------


def to_all(key: str = "mass-1", text: str = "明早停水。") -> Outgoing:
    return article(text, key, form="mass")


async def test_a_mass_message_to_its_end(wechat_desk: Desk) -> None:
    pending = await wechat_desk.client.publish(wechat_desk.ref, to_all())
    assert isinstance(pending, Pending)
    done = await ended(wechat_desk, pending)
    assert isinstance(done, Done)
    assert done.external_id == pending.job
    assert await wechat_desk.client.exists(wechat_desk.ref, done.external_id)
    sent = Published(done.external_id, wechat_desk.now() - timedelta(days=1, hours=1), pending.extra)
    (number,) = wechat_desk.control.state()["articles"]
    wechat_desk.control.post("figures", article_id=number, reads=1234, shares=5)
    ref = replace(wechat_desk.ref, published=(sent,))
    (metric,) = await wechat_desk.client.metrics(ref, [done.external_id, "unknown"])
    assert (metric.reads, metric.reposts, metric.likes) == (1234, 5, None)
    await wechat_desk.client.delete(wechat_desk.ref, done.external_id)
    assert not await wechat_desk.client.exists(wechat_desk.ref, done.external_id)


async def test_the_same_mass_message_again_is_the_same(wechat_desk: Desk) -> None:
    """The platform knows the key for a day: absence is no risk, and the second answer names the first one's number."""
    wechat_desk.control.fault("drop", "message/mass/sendall", when="after")
    begun = wechat_desk.now()
    assert (await failure(wechat_desk.client.publish(wechat_desk.ref, to_all()))).effect is Effect.unknown
    await published(wechat_desk, 1)
    assert (await wechat_desk.client.find_own(wechat_desk.ref, begun, to_all())).complete
    assert not (await wechat_desk.client.find_own(wechat_desk.ref, begun - timedelta(hours=21), to_all())).complete
    again = await wechat_desk.client.publish(wechat_desk.ref, to_all())
    assert isinstance(again, Pending)
    state = wechat_desk.control.state()
    assert again.job == f"mass:{next(iter(state['masses']))}"
    assert again.extra["msg_data_id"] == next(iter(state["masses"].values()))["msg_data_id"]
    assert isinstance(await ended(wechat_desk, again), Done)
    assert (len(state["masses"]), len(state["articles"]), state["drafts"]) == (1, 1, {})


async def test_the_administrator_must_confirm(wechat_desk: Desk) -> None:
    wechat_desk.control.post("accounts", app=wechat_desk.account["app"], protected=True)
    pending = await wechat_desk.client.publish(wechat_desk.ref, to_all())
    assert isinstance(pending, Pending)
    assert isinstance(await wechat_desk.client.poll_job(wechat_desk.ref, pending.job), Pending)
    number = pending.job.partition(":")[2]
    wechat_desk.control.post("mass", msg_id=number, refused="err(40001)")
    error = await failure(wechat_desk.client.poll_job(wechat_desk.ref, pending.job))
    assert error.kind is K.content_rejected
    assert "管理员" in error.human


async def test_a_subscription_account_has_one_a_day(wechat_desk: Desk) -> None:
    wechat_desk.control.post("accounts", app=wechat_desk.account["app"], kind="subscription")
    await ended(wechat_desk, await wechat_desk.client.publish(wechat_desk.ref, to_all()))
    error = await failure(wechat_desk.client.publish(wechat_desk.ref, to_all("mass-2", "第二次")))
    assert error.kind is K.quota_day
    wechat_desk.control.fault("code", "message/mass/sendall", code=45066)
    error = await failure(wechat_desk.client.publish(wechat_desk.ref, to_all("mass-3", "第三次")))
    assert (error.kind, error.effect) == (K.rate_limited, Effect.not_done)
    assert error.retry_at is not None
    assert error.retry_at - wechat_desk.now() > timedelta(seconds=55)


# --- what cannot go out -----------------------------------------------------------------------------------------------


def said(desk: Desk, out: Outgoing) -> str:
    return "；".join(p.text for p in desk.client.validate(desk.ref, out))


def test_what_an_article_lacks_is_said_beforehand(wechat_desk: Desk) -> None:
    assert said(wechat_desk, article()) == ""
    assert "标题" in said(wechat_desk, article(title=" "))
    assert "删减 6 字" in said(wechat_desk, article(title="字" * 70))
    assert "封面" in said(wechat_desk, article(attachments=()))
    assert "删减 5 字" in said(wechat_desk, article("字" * 20_005))
    assert "超过 1023 KB" in said(wechat_desk, article(attachments=(picture(JPG + bytes(1024 * 1024), "image/jpeg"),)))
    assert "平台不接收" in said(wechat_desk, article(attachments=(picture(b"GIF89a", "image/gif"),)))
    assert "最多 20 张图片，现在 21 张" in said(wechat_desk, article(attachments=(picture(),) * 21))
    assert "方式" in said(wechat_desk, article(form="reel"))


def test_a_private_answer_is_measured_in_bytes(wechat_desk: Desk) -> None:
    assert said(wechat_desk, answer("字" * 682, "o1")) == ""
    assert "删减 18 字" in said(wechat_desk, answer("字" * 700, "o1"))
    assert said(wechat_desk, answer("a" * 2048, "o1")) == ""
    assert "删减 1 字" in said(wechat_desk, answer("a" * 2047 + "字", "o1"))
    assert "收信人" in said(wechat_desk, answer("好", ""))
    assert "图片" in said(wechat_desk, replace(answer("好", "o1"), attachments=(picture(),)))
    comment = Outgoing("字" * 601, "k", "1:0:2", Kind.comment)
    assert "删减 1 字" in said(wechat_desk, comment)
    assert wechat_desk.client.limits(wechat_desk.ref).private_length == 682


async def test_what_is_unfit_is_never_called(wechat_desk: Desk) -> None:
    before = len(wechat_desk.control.state()["calls"])
    for call in (
        wechat_desk.client.publish(wechat_desk.ref, article(attachments=())),
        wechat_desk.client.reply(wechat_desk.ref, answer("字" * 700, "o1")),
        wechat_desk.client.reply(wechat_desk.ref, Outgoing("好", "k", "no-comment", Kind.comment)),
    ):
        assert (await failure(call)).effect is Effect.not_done
    assert len(wechat_desk.control.state()["calls"]) == before


async def test_pictures_too_slow_for_one_try_are_gone_on_with_in_the_next(
    wechat_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "UPLOAD_SECONDS", 1.0)
    three = article(attachments=(picture(), picture(JPG, "image/jpeg"), picture(JPG + b"x", "image/jpeg")))
    wechat_desk.control.fault("delay", "media/uploadimg", seconds=0.1)
    wechat_desk.control.fault("delay", "media/uploadimg", seconds=2, when="after")
    error = await failure(wechat_desk.client.publish(wechat_desk.ref, three))
    assert (error.kind, error.effect) == (K.transient, Effect.not_done)
    assert isinstance(await ended(wechat_desk, await wechat_desk.client.publish(wechat_desk.ref, three)), Done)
    assert len(wechat_desk.control.calls("material/add_material")) == 1, "the cover was there already"


async def test_an_answer_that_is_no_object_is_no_success(wechat_desk: Desk) -> None:
    class Odd(Http):
        async def call(self, *_: object, **options: object) -> Answer:
            return Answer(200, {}, b"[1]", bool(options.get("write")))

    odd = WechatConnector(Odd(live=False))
    error = await failure(odd.reply(wechat_desk.ref, answer("好", "o1")))
    assert (error.kind, error.effect) == (K.protocol, Effect.unknown)
    assert (await failure(odd.check(wechat_desk.ref))).kind is K.protocol
