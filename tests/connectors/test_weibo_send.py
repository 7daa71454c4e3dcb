"""What leaves for Weibo: where it stands, in which form, what the connector says when it goes wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connectors.base import (
    AccountRef,
    Attachment,
    Capability,
    ConnectorError,
    Done,
    Effect,
    ErrorKind,
    Granted,
    Kind,
    Outgoing,
)
from connectors.http import Answer, Http
from connectors.weibo.client import WeiboConnector
from connectors.weibo.codes import ACCEPTED_LATE, ARTICLE_CODES, ARTICLE_MAYBE_DONE, CODES, MAYBE_DONE
from connectors.weibo.links import id_of_link
from tests.sims.faults import FaultProxy
from tests.sims.weibo import DOMAIN, LINK, WeiboControl

PNG = Attachment("图.png", "image/png", b"\x89PNG\r\n\x1a\n" + b"\x00" * 64, "一张图")
COVER = "https://img.example.gov.cn/cover.jpg"


def post(text: str = f"今日停水通知 {LINK}", **more: object) -> Outgoing:
    return Outgoing(text, "k1", **more)  # type: ignore[arg-type]


def granted(ref: AccountRef, **options: str) -> AccountRef:
    """The account with more options than an ordinary one."""
    return AccountRef(1, "weibo", ref.name, ref.external_id, ref.base_url, ref.secrets, dict(ref.options) | options)


def answers(monkeypatch: pytest.MonkeyPatch, *bodies: str) -> None:
    """Whatever is asked, these are the answers, the last one for ever."""
    left = list(bodies)

    async def answering(*_: object, write: bool = False, **__: object) -> Answer:
        return Answer(200, {}, (left.pop(0) if len(left) > 1 else left[0]).encode(), write)

    monkeypatch.setattr(Http, "call", answering)


async def test_a_short_post_with_a_picture_stands_there(
    weibo: WeiboControl, microblog: WeiboConnector, press: AccountRef
) -> None:
    out = post("今日停水通知 50% & 更多 🌤 " + LINK, attachments=(PNG,))
    assert microblog.validate(press, out) == []
    done = await microblog.publish(press, out)
    assert isinstance(done, Done)
    [row] = weibo.accepted()
    assert (row["id"], row["text"], row["kind"]) == (done.external_id, out.text, "post")
    assert id_of_link(done.url) == done.external_id
    assert done.at is not None
    assert abs((done.at - datetime.now(UTC)).total_seconds()) < 5
    assert await microblog.exists(press, done.external_id)
    assert await weibo.picture_of(done.external_id) == PNG.data


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "内容为空"),
        ("停水通知", "必须带一个应用安全域名下的链接"),
        ("停水通知 https://example.com/1", f"（{DOMAIN}）"),
        (f"#停水# 通知 {LINK}", "去掉「#停水#」"),
        ("字" * 131 + LINK, "超过平台上限 140 字"),
    ],
)
async def test_what_cannot_go_out_is_said_beforehand(
    weibo: WeiboControl, microblog: WeiboConnector, press: AccountRef, text: str, words: str
) -> None:
    problems = microblog.validate(press, post(text))
    assert any(words in problem.text for problem in problems), problems
    if "话题" not in words and "#" not in text:
        with pytest.raises(ConnectorError) as caught:
            await microblog.publish(press, post(text))
        assert caught.value.kind is ErrorKind.content_rejected
    assert not any("k1" in row["key"] for row in weibo.accepted())


def test_an_anchor_in_a_link_is_no_topic(microblog: WeiboConnector, press: AccountRef) -> None:
    assert microblog.validate(press, post(f"见 {LINK}#a 和 {LINK}#b")) == []
    assert microblog.validate(press, post(f"见 https://news.{DOMAIN}/1")) == []
    assert microblog.validate(press, post(f"见 https://not{DOMAIN}/1"))


@pytest.mark.parametrize(
    ("pictures", "words"),
    [
        ((PNG, PNG), "最多 1 张图片"),
        ((Attachment("a.webp", "image/webp", b"RIFF"),), "平台不接收"),
        ((Attachment("大.png", "image/png", PNG.data + b"\x00" * 5 * 1024 * 1024),), "超过 5119 KB"),
    ],
)
async def test_pictures_the_platform_does_not_take(
    microblog: WeiboConnector, press: AccountRef, pictures: tuple[Attachment, ...], words: str
) -> None:
    problems = microblog.validate(press, post(attachments=pictures))
    assert any(words in problem.text for problem in problems), problems
    if len(pictures) == 1:
        with pytest.raises(ConnectorError) as caught:
            await microblog.publish(press, post(attachments=pictures))
        assert caught.value.kind is ErrorKind.content_rejected


async def test_a_long_post_with_pictures_under_a_contract(
    weibo: WeiboControl, microblog: WeiboConnector, press: AccountRef
) -> None:
    text = "#停水# " + "字" * 500
    out = post(text, form="long", attachments=(PNG, PNG))
    assert "没有开通" in microblog.validate(press, out)[0].text
    contract = granted(press, commercial="yes")
    assert microblog.validate(contract, out) == []
    with pytest.raises(ConnectorError) as caught:
        await microblog.publish(contract, out)
    assert (caught.value.kind, caught.value.effect) == (ErrorKind.permission, Effect.not_done)
    weibo.app(level="commercial")
    done = await microblog.publish(contract, out)
    assert isinstance(done, Done)
    assert weibo.item(done.external_id)["text"] == text
    began = datetime.now(UTC)
    without = await microblog.publish(contract, post("又一条长的" + "字" * 300, form="long"))
    assert isinstance(without, Done)
    own = await microblog.find_own(contract, began, post(form="long"))
    assert own.items[0].text == "又一条长的" + "字" * 300


async def test_a_long_article_of_an_office(weibo: WeiboControl, microblog: WeiboConnector, press: AccountRef) -> None:
    office = granted(press, article="1", cover_url=COVER)
    out = post(f"第一段 <b>\n\n第二段 {LINK} & 完", form="article", title="停水公告")
    assert microblog.validate(office, out) == []
    assert [form.name for form in microblog.post_forms(office)] == ["", "article"]
    done = await microblog.publish(office, out)
    assert isinstance(done, Done)
    [article] = weibo.articles()
    assert article["title"] == "停水公告"
    assert article["content"] == (f'<p>第一段 &lt;b&gt;</p><p>第二段 <a href="{LINK}">{LINK}</a> &amp; 完</p>')
    assert (article["item_id"], article["id"]) == (done.external_id, done.extra["object_id"])
    assert done.url.startswith("https://weibo.com/ttarticle/")
    assert await microblog.exists(office, done.external_id)
    assert weibo.item(done.external_id)["text"].startswith("【停水公告】第一段")


@pytest.mark.parametrize(
    ("title", "options", "words"),
    [
        ("", {"cover_url": COVER}, "须有标题"),
        ("字" * 33, {"cover_url": COVER}, "上限 32 字"),
        ("公告", {}, "封面"),
    ],
)
def test_articles_that_cannot_go_out(
    microblog: WeiboConnector, press: AccountRef, title: str, options: dict[str, str], words: str
) -> None:
    problems = microblog.validate(granted(press, article="yes", **options), post(form="article", title=title))
    assert any(words in problem.text for problem in problems), problems


async def test_articles_are_for_offices(weibo: WeiboControl, microblog: WeiboConnector) -> None:
    shop = granted(weibo.ref(weibo.account("小店", verified_type=2)), article="yes", cover_url=COVER)
    with pytest.raises(ConnectorError) as caught:
        await microblog.publish(shop, post("正文", form="article", title="公告"))
    assert (caught.value.kind, caught.value.effect) == (ErrorKind.permission, Effect.not_done)
    assert "政务" in caught.value.human


async def test_answers_stand_under_what_they_answer(
    weibo: WeiboControl, microblog: WeiboConnector, press: AccountRef
) -> None:
    [mention] = weibo.mentions(press.external_id, "路灯坏了")
    [own_post] = weibo.posts(press.external_id, "通知")
    [comment] = weibo.comments("几点？", post=own_post)
    since = datetime.now(UTC)
    for out, target, thread in (
        (Outgoing("马上去修", "a", mention, Kind.mention, mention), mention, mention),
        (Outgoing("十点", "b", comment, Kind.comment, own_post), comment, own_post),
        (Outgoing("十点整", "c", comment, Kind.comment), comment, own_post),
    ):
        done = await microblog.reply(press, out)
        assert isinstance(done, Done)
        row = weibo.item(done.external_id)
        assert (row["target_id"], row["thread_id"], row["text"]) == (target, thread, out.text)
        own = await microblog.find_own(press, since, out)
        assert done.external_id in {item.external_id for item in own.items}
        assert own.complete
        assert await microblog.exists(press, done.external_id)
    weibo.take_down(done.external_id)
    assert not await microblog.exists(press, done.external_id)


async def test_private_answers_go_through_the_fan_service(
    weibo: WeiboControl, microblog: WeiboConnector, press: AccountRef
) -> None:
    weibo.messages(press.external_id, "举报", author="小赵")
    sender = weibo.uid_of("小赵")
    out = Outgoing("已受理，谢谢", "c", "1", Kind.private, target_author_id=sender)
    assert await microblog.reply(press, out) == Done("")
    [row] = weibo.accepted()
    assert (row["kind"], row["receiver_id"], row["text"]) == ("message", sender, "已受理，谢谢")
    with pytest.raises(ConnectorError) as caught:
        await microblog.reply(press, out)
    assert (caught.value.kind, caught.value.effect) == (ErrorKind.duplicate, Effect.unknown)
    own = await microblog.find_own(press, datetime.now(UTC) - timedelta(minutes=1), out)
    assert (own.items, own.complete) == ((), False)
    weibo.event(press.external_id, "小赵", "unfollow")
    with pytest.raises(ConnectorError) as caught:
        await microblog.reply(press, Outgoing("另一句", "d", "1", Kind.private, target_author_id=sender))
    assert caught.value.kind is ErrorKind.target_refuses


@pytest.mark.parametrize(
    "body",
    [
        "[]", '"busy"', "{}", '{"result": "yes"}', '{"error_code": "E10023", "error": "too often"}',
        '{"error_code": [], "result": true}',
    ],
)  # fmt: skip
async def test_an_answer_nobody_understands_is_no_message_sent(
    microblog: WeiboConnector, press: AccountRef, monkeypatch: pytest.MonkeyPatch, body: str
) -> None:
    answers(monkeypatch, body)
    with pytest.raises(ConnectorError) as caught:
        await microblog.reply(press, Outgoing("已受理", "c", "1", Kind.private, target_author_id="5"))
    assert (caught.value.kind, caught.value.effect) == (ErrorKind.protocol, Effect.unknown)


@pytest.mark.parametrize("body", ["[]", '"busy"', '{"error_code": "E10023", "error": "too often"}'])
async def test_an_answer_nobody_understands_is_no_post_deleted(
    microblog: WeiboConnector, press: AccountRef, monkeypatch: pytest.MonkeyPatch, body: str
) -> None:
    answers(monkeypatch, body)
    with pytest.raises(ConnectorError) as caught:
        await microblog.delete(press, "5012345678901234")
    assert caught.value.effect is Effect.unknown


async def test_the_window_of_private_answers_closes(
    weibo: WeiboControl, microblog: WeiboConnector, press: AccountRef
) -> None:
    old = (datetime.now(UTC) - timedelta(hours=49)).timestamp()
    weibo.messages(press.external_id, "早先", author="小钱", created_at=old)
    out = Outgoing("答复", "c", "1", Kind.private, target_author_id=weibo.uid_of("小钱"))
    with pytest.raises(ConnectorError) as caught:
        await microblog.reply(press, out)
    assert (caught.value.kind, caught.value.effect) == (ErrorKind.target_refuses, Effect.not_done)
    weibo.mentions(press.external_id, "又 @ 了", author="小钱")
    assert await microblog.reply(press, out) == Done("")
    with pytest.raises(ConnectorError):
        await microblog.reply(press, Outgoing("第二句", "d", "1", Kind.private, target_author_id=out.target_author_id))


@pytest.mark.parametrize("code", sorted(CODES))
async def test_every_listed_code_has_its_kind_and_a_sentence(
    weibo: WeiboControl, microblog: WeiboConnector, press: AccountRef, code: int
) -> None:
    weibo.fault("refuse", count=1, code=code)
    with pytest.raises(ConnectorError) as caught:
        await microblog.publish(press, post())
    error = caught.value
    assert error.kind is CODES[code][0]
    assert error.human == CODES[code][1]
    assert str(code) in error.code
    wanted = Effect.done if code in ACCEPTED_LATE else Effect.unknown if code in MAYBE_DONE else Effect.not_done
    assert error.effect is wanted
    assert weibo.accepted() == []


@pytest.mark.parametrize("code", sorted(ARTICLE_CODES))
async def test_every_code_of_articles_has_its_kind(
    microblog: WeiboConnector, press: AccountRef, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(monkeypatch, f'{{"code": "{code}", "msg": "x"}}')
    with pytest.raises(ConnectorError) as caught:
        await microblog.publish(granted(press, article="1", cover_url=COVER), post(form="article", title="公告"))
    assert caught.value.kind is ARTICLE_CODES[code][0]
    assert caught.value.effect is (Effect.unknown if code in ARTICLE_MAYBE_DONE else Effect.not_done)


async def test_an_unknown_code_is_for_a_person(
    weibo: WeiboControl, microblog: WeiboConnector, press: AccountRef
) -> None:
    weibo.fault("refuse", count=1, code=29999)
    with pytest.raises(ConnectorError) as caught:
        await microblog.publish(press, post())
    assert (caught.value.kind, caught.value.effect) == (ErrorKind.protocol, Effect.not_done)
    assert "29999" in caught.value.human


async def test_accepted_but_shown_late_counts_as_done(
    weibo: WeiboControl, microblog: WeiboConnector, press: AccountRef
) -> None:
    weibo.fault("error_after", count=1, code=20032, status=400)
    weibo.fault("list_lag", seconds=2)
    began = datetime.now(UTC)
    with pytest.raises(ConnectorError) as caught:
        await microblog.publish(press, post())
    assert caught.value.effect is Effect.done
    assert (await microblog.find_own(press, began, post())).items == ()
    weibo.lift()
    own = await microblog.find_own(press, began, post())
    assert [item.text for item in own.items] == [post().text]


async def test_a_lost_answer_is_read_back(weibo: WeiboControl, microblog: WeiboConnector, press: AccountRef) -> None:
    began = datetime.now(UTC)
    async with FaultProxy(press.base_url, "POST") as proxy:
        proxy.spoil("drop")
        lossy = AccountRef(1, "weibo", "x", press.external_id, proxy.base_url, press.secrets, press.options)
        with pytest.raises(ConnectorError) as caught:
            await microblog.publish(lossy, post())
    assert caught.value.effect is Effect.unknown
    own = await microblog.find_own(press, began, post())
    assert [item.text for item in own.items] == [post().text]
    assert own.complete
    with pytest.raises(ConnectorError) as caught:
        await microblog.publish(press, post())
    assert (caught.value.kind, caught.value.effect) == (ErrorKind.duplicate, Effect.unknown)
    with pytest.raises(ConnectorError) as caught:
        await microblog.publish(press, post(post().text + "！"))
    assert caught.value.code.startswith("20017")
    assert len(weibo.accepted()) == 1


async def test_five_posts_are_all_that_is_shown(
    weibo: WeiboControl, microblog: WeiboConnector, press: AccountRef
) -> None:
    began = datetime.now(UTC)
    for number in range(7):
        await microblog.publish(press, post(f"第 {number} 条 {LINK}"))
    own = await microblog.find_own(press, began, post())
    assert (len(own.items), own.complete) == (5, False)
    weibo.reset()
    fresh = weibo.ref(weibo.account("临江发布"))
    weibo.posts(fresh.external_id, "很早的", created_at=(began - timedelta(days=1)).timestamp())
    await microblog.publish(fresh, post())
    own = await microblog.find_own(fresh, began, post())
    assert (len(own.items), own.complete) == (1, True)


async def test_own_items_are_deleted_once_and_foreign_ones_never(
    weibo: WeiboControl, microblog: WeiboConnector, press: AccountRef
) -> None:
    done = await microblog.publish(press, post())
    assert isinstance(done, Done)
    await microblog.delete(press, done.external_id)
    assert not await microblog.exists(press, done.external_id)
    await microblog.delete(press, done.external_id)
    [foreign] = weibo.mentions(press.external_id, "路灯")
    with pytest.raises(ConnectorError) as caught:
        await microblog.delete(press, foreign)
    assert caught.value.kind is ErrorKind.permission
    with pytest.raises(ConnectorError):
        await microblog.delete(press, "")


async def test_figures_come_a_hundred_at_a_time(
    weibo: WeiboControl, microblog: WeiboConnector, press: AccountRef
) -> None:
    ids = weibo.posts(press.external_id, "通知 {n}", count=120)
    weibo.figures(ids[3], likes=12, reposts=4)
    weibo.comments("好", post=ids[3])
    before = len(weibo.asked())
    found = {one.external_id: one for one in await microblog.metrics(press, [*ids, "99", "not a number"])}
    assert len(weibo.asked()) - before == 2
    assert set(found) == set(ids)
    metric = found[ids[3]]
    assert (metric.likes, metric.reposts, metric.comments, metric.reads) == (12, 4, 1, None)
    assert (found[ids[0]].likes, found[ids[0]].comments) == (0, 0)


async def test_a_public_address_goes_along_with_writes_only(
    weibo: WeiboControl, microblog: WeiboConnector, press: AccountRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[bytes | None] = []
    real = Http.call

    async def listening(self: Http, *given: object, **named: object) -> object:
        sent.append(named.get("content"))  # type: ignore[arg-type]
        return await real(self, *given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Http, "call", listening)
    await microblog.publish(granted(press, rip="203.0.113.7"), post())
    await microblog.check(granted(press, rip="203.0.113.7"))
    assert b"rip=203.0.113.7" in (sent[0] or b"")
    assert not any(b"rip=" in (body or b"") for body in sent[1:])


def test_grants_follow_settings_and_secrets(microblog: WeiboConnector, press: AccountRef) -> None:
    full = microblog.capabilities(press)
    assert [c for c, g in full.items() if g.granted is not Granted.yes] == [Capability.pull_messages]
    assert "推送" in full[Capability.pull_messages].reason
    bare = microblog.capabilities(AccountRef(1, "weibo", "x", "1", "", {}, {}))
    assert {g.granted for c, g in bare.items() if c is not Capability.pull_messages} == {Granted.needs}
    no_fan = microblog.capabilities(AccountRef(1, "weibo", "x", "1", "", {"token": "t", "app_secret": "s"}, {}))
    assert {c for c, g in no_fan.items() if g.granted is Granted.needs} == {
        Capability.receive_push, Capability.reply_private,
    }  # fmt: skip
