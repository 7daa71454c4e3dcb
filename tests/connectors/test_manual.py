"""The channel through a person's hands: links read back, sizes and lengths per site, steps in words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from connectors.base import AccountRef, Attachment, ByHand, Capability, Granted, Kind, Outgoing, Unparsable
from connectors.manual.client import ManualConnector
from connectors.manual.platforms import SITES
from tests.sims.film import film


def ref(site: str = "douyin", **options: str) -> AccountRef:
    return AccountRef(1, "manual", "临江发布（抖音）", "临江发布", "", options={"site": site} | options)


CONNECTOR = ManualConnector()
LINKS = [
    ("douyin", "https://www.douyin.com/video/7301234567890123456", "7301234567890123456"),
    ("douyin", "https://www.douyin.com/note/7301234567890123456?x=1", "7301234567890123456"),
    ("douyin", "8.97 复制打开抖音，看看【临江发布的作品】 https://v.douyin.com/iRNBho5m/ d@N.Wm 05/12", "iRNBho5m"),
    ("kuaishou", "https://www.kuaishou.com/short-video/3xabcdef123456", "3xabcdef123456"),
    ("bilibili", "【标题】 https://www.bilibili.com/video/BV1xx411c7mD/?share_source=copy_web", "BV1xx411c7mD"),
    ("bilibili", "https://www.bilibili.com/opus/861234567890123456", "861234567890123456"),
    ("bilibili", "https://www.bilibili.com/read/cv12345678", "12345678"),
    ("toutiao", "https://www.toutiao.com/article/7301234567890123456/", "7301234567890123456"),
    ("xiaohongshu", "https://www.xiaohongshu.com/explore/6541a2b3000000001e02a1b2", "6541a2b3000000001e02a1b2"),
    ("xiaohongshu", "http://xhslink.com/a/AbCdEf12345，复制本条信息", "AbCdEf12345"),
    ("channels", "https://weixin.qq.com/sph/AbC123xyz", "AbC123xyz"),
    ("other", "https://news.linjiang.gov.cn/2026/1127/3301.html", "3301.html"),
    ("other", "https://app.example.cn/share?newsId=88", "88"),
]


@pytest.mark.parametrize(("site", "pasted", "number"), LINKS)
def test_links_are_read_however_apps_copy_them(site: str, pasted: str, number: str) -> None:
    assert CONNECTOR.read_link(ref(site), pasted) == number


@pytest.mark.parametrize(
    ("site", "pasted", "why"),
    [
        ("douyin", "已发布", "没有找到网址"),
        ("douyin", "https://www.kuaishou.com/short-video/3xabcdef123456", "不是抖音的链接"),
        ("douyin", "https://evil-douyin.com/video/7301234567890123456", "不是抖音的链接"),
        ("douyin", "https://www.douyin.com/user/MS4wLjABAAAA", "不是某一条作品"),
        ("bilibili", "https://www.bilibili.com/", "不是某一条作品"),
        ("other", "https://www.linjiang.gov.cn/", "首页"),
        ("other", "http://localhost/x", "不完整"),
        ("douyin", "https://[::1/video/1", "不完整"),
    ],
)
def test_what_is_no_link_to_an_item_is_refused_in_words(site: str, pasted: str, why: str) -> None:
    with pytest.raises(Unparsable, match=why):
        CONNECTOR.read_link(ref(site), pasted)


async def test_steps_name_the_account_and_what_to_paste() -> None:
    picture = Attachment("1.jpg", "image/jpeg", b"")
    asked = await CONNECTOR.publish(ref(), Outgoing("文", "k", title="题", attachments=(picture,)))
    assert isinstance(asked, ByHand)
    assert "「临江发布」" in asked.steps[0]
    assert any("1 张图片" in step for step in asked.steps)
    assert any("标题" in step for step in asked.steps)
    bare = await CONNECTOR.publish(ref(), Outgoing("文", "k"))
    assert isinstance(bare, ByHand)
    assert len(bare.steps) == len(asked.steps) - 2
    answer = await CONNECTOR.reply(ref(), Outgoing("答", "k", "1", Kind.private))
    assert isinstance(answer, ByHand)
    assert any("私信" in step for step in answer.steps)


def test_an_office_can_change_sizes_and_lengths() -> None:
    (usual,) = CONNECTOR.post_forms(ref())
    assert (usual.length, usual.title_length, usual.covers[0]) == (1000, 30, ("竖版封面 9:16", 1080, 1920))
    own = ref("douyin", post_length="300", title_length="0", covers="900x383，1080×1440", pictures="9")
    (form,) = CONNECTOR.post_forms(own)
    assert (form.length, form.title_length, form.pictures) == (300, 0, 9)
    assert form.covers == (("900×383", 900, 383), ("1080×1440", 1080, 1440))
    assert [p.text for p in CONNECTOR.validate(own, Outgoing("字" * 301, "k"))] == [
        "内容共 301 字，超过平台上限 300 字，请删减 1 字"
    ]


async def test_options_that_make_no_sense_are_told_when_connecting() -> None:
    assert (await CONNECTOR.check(ref())).ok
    wrong = (
        {"site": "nowhere"},
        {"post_length": "很多"},
        {"title_length": "²"},
        {"pictures": "9" * 9},
        {"covers": "大"},
    )
    for options in wrong:
        health = await CONNECTOR.check(AccountRef(1, "manual", "号", "号", "", options={"site": "douyin"} | options))
        assert not health.ok
        assert health.note


def test_every_site_is_whole_and_nothing_is_done_by_program() -> None:
    for site in SITES:
        account = ref(site.name)
        assert CONNECTOR.limits(account).by_hand
        assert site.covers
        assert site.start
        granted = {c for c, g in CONNECTOR.capabilities(account).items() if g.granted is Granted.yes}
        assert granted == {Capability.publish, Capability.reply_public, Capability.reply_private}


async def test_the_steps_of_a_video_speak_of_a_cover_only_where_there_is_one(tmp_path: Path) -> None:
    out = Outgoing("正文", "k", video=film(tmp_path, 1000))
    cover = Attachment("1.jpg", "image/jpeg", b"\xff\xd8\xff")
    for pictures, said in (((), 0), ((cover,), 1)):
        told = await CONNECTOR.publish(ref(), replace(out, attachments=pictures))
        assert isinstance(told, ByHand)
        assert sum("封面" in step for step in told.steps) == said
