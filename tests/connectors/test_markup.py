"""HTML of statuses becomes plain text that nothing can run in."""

from __future__ import annotations

import time

import pytest

from connectors.base import Kind, RawItem
from connectors.files import suggest, to_item
from connectors.files.rows import parse_item
from connectors.markup import LONGEST, plain, plain_if_html
from connectors.mastodon.client import MastodonConnector
from connectors.mastodon.schemas import id_order, own_item, raw_item, text_id, without_mention


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>一</p><p>二<br>三<br />四</p>", "一\n\n二\n三\n四"),
        ("没有标签 &amp; &lt;b&gt; &#128512;", "没有标签 & <b> 😀"),
        ("<p>a<script>alert(1)</script>b<style>c{}</style></p>", "ab"),
        ("<ul><li>一</li><li>二</li></ul>", "- 一\n- 二"),
        (
            '<p><a href="https://example.org/very/long"><span class="invisible">https://</span>'
            '<span class="ellipsis">example.org/very</span><span class="invisible">/long</span></a></p>',
            "https://example.org/very/long",
        ),
        ('<a href="https://example.org/x">点这里</a>', "点这里（https://example.org/x）"),
        ('<a href="javascript:alert(1)">点这里</a>', "点这里"),
        ('<a href="https://s/@press" class="u-url mention">@<span>press</span></a> 好', "@press 好"),
        ('<a href="https://s/tags/x" class="mention hashtag">#<span>路灯</span></a>', "#路灯"),
        ("<p>一</p>\n\n\n\n<p>二</p>", "一\n\n二"),
        ("<p>未关闭 <b>粗", "未关闭 粗"),
        ("a\x00b\u200bc\u202ed", "abc\u202ed"),
        ("<" * 1000, "<" * 1000),
    ],
)
def test_plain(html: str, text: str) -> None:
    assert plain(html) == text


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("@press 路灯", "路灯"),
        ("@Press@social.example.org @press 路灯", "路灯"),
        ("@alice @press 路灯", "@alice @press 路灯"),
        ("@press @alice 路灯", "@alice 路灯"),
        ("@press", "@press"),
        ("@pressroom 路灯", "@pressroom 路灯"),
        ("请 @press 看", "请 @press 看"),
    ],
)
def test_own_mentions_come_off_the_front_only(text: str, rest: str) -> None:
    assert without_mention(text, {"press"}) == rest


def test_ulids_and_numbers_are_ordered_as_the_servers_do() -> None:
    assert sorted(["100", "99", "1000"], key=id_order) == ["99", "100", "1000"]
    early, late = "01J8Z3W5Q0AAAAAAAAAAAAAAAA", "01J8Z3W5Q1AAAAAAAAAAAAAAAA"
    assert max([early, late], key=id_order) == late
    assert text_id("../../accounts") == ""
    assert text_id(123) == "123"
    assert text_id(True) == ""


def test_a_gotosocial_mention_with_ulids_is_understood() -> None:
    status = {
        "id": "01J8Z3W5Q1AAAAAAAAAAAAAAAA",
        "created_at": "2026-11-23T01:02:03.000Z",
        "content": "<p>@press 在吗</p>",
        "visibility": "direct",
        "in_reply_to_id": "01J8Z3W5Q0AAAAAAAAAAAAAAAA",
        "account": {"id": "01A", "acct": "a@b.example", "display_name": ""},
        "mentions": [{"id": "01OWN", "username": "press", "acct": "press"}],
    }
    item = raw_item({"id": "01N", "type": "mention", "status": status, "zhengsheng_root": "01ROOT"})
    assert (item.kind, item.external_id) == (Kind.private, status["id"])
    from connectors.base import AccountRef
    from connectors.http import Http

    ref = AccountRef(1, "mastodon", "press", "01OWN", "http://127.0.0.1:1")
    found = MastodonConnector(Http(live=False)).parse(ref, RawItem(item.kind, item.external_id, item.payload))
    assert (found.text, found.thread_id, found.parent_id) == ("在吗", "01ROOT", status["in_reply_to_id"])
    assert found.author.name == "a@b.example"


def test_the_mention_before_an_own_answer_is_ours_not_the_texts() -> None:
    status = {"id": "2", "created_at": "2026-11-23T01:02:03Z", "content": "<p>@alice 好</p>", "in_reply_to_id": "1"}
    found = own_item(status)
    assert found is not None
    assert found.text == "好"
    posted = own_item(status | {"in_reply_to_id": None})
    assert posted is not None
    assert posted.text == "@alice 好"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("<p>路灯坏了。</p><p>请&nbsp;修</p>", "路灯坏了。\n\n请 修"),
        ("请&nbsp;修&ldquo;路灯&rdquo;", "请 修“路灯”"),
        ("3<5 而 7>6，a<b，<A9路口>的灯&不亮", "3<5 而 7>6，a<b，<A9路口>的灯&不亮"),
        ('<div style="x"><script>alert(1)</script>井盖</div>', "井盖"),
        ("没有标记", "没有标记"),
    ],
)
def test_html_out_of_files_is_read_as_a_browser_shows_it(written: str, read: str) -> None:
    assert plain_if_html(written) == read


def test_rows_keep_what_was_exported_and_say_what_was_meant() -> None:
    row = (
        2,
        {"内容": "<p>路灯<b>坏了</b></p>", "时间": "2026-01-05 10:00", "答复": "<p>已修</p>", "标题": "<i>路灯</i>"},
    )
    item = to_item(row, suggest(list(row[1])))
    assert isinstance(item, RawItem)
    assert "<p>" in item.payload
    found = parse_item(item)
    assert (found.text, found.title, found.answer) == ("路灯坏了", "路灯", "已修")


REPEATED = (
    "<a ", "<", "</", "<!--", "<![", "<![CDATA[", "<?", "<!", "<a href='", '<a href="', "</script", "<script></",
    "&", "&#", "<a b=", "<a>", "</p>", "<li>", "<a href=http://x>", "<p\n", "<a <b>", '"<', "\n ", "<!-->",
)  # fmt: skip


@pytest.mark.parametrize("piece", REPEATED)
def test_hostile_markup_costs_no_more_than_its_length(piece: str) -> None:
    """Unclosed tags, comments and declarations by the ten thousand: each once made the parser read to the very end."""
    text = "<p>" + piece * (LONGEST // len(piece))
    begun = time.process_time()
    for read in (plain, plain_if_html):
        assert "<script" not in read(text[:LONGEST])
    assert time.process_time() - begun < 6


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>甲<!-- 乙 < 丙 <b> -->丁</p>", "甲丁"),
        ("<p>甲<!--[if mso]><i>乙</i><![endif]-->丁</p>", "甲丁"),
        ("<!DOCTYPE html><p>甲</p>", "甲"),
        ("<p>3 < 5，a<b</p>", "3 < 5，a<b"),
        ("<p>甲<!-- 没有结束</p>", "甲<!-- 没有结束"),  # nothing is lost
        ("<p>甲 <a href=", "甲 <a href="),
    ],
)
def test_comments_and_lone_signs(html: str, text: str) -> None:
    assert plain(html) == text
