"""Languages: a complete English catalogue, traditional Chinese with names kept, figures and dates by locale."""

from __future__ import annotations

import ast
import re
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from hub import clock, i18n
from hub.i18n import CATALOGUES, choose, gettext, ngettext, pgettext, said, speaking, traditional, written
from web.cli import main, texts
from web.cli.collection import KEYWORDS, ROOMS, ROOT, collected, sentences
from web.templating import environment

MARKS = set(KEYWORDS)


@pytest.fixture(scope="module")
def wanted() -> Catalog:
    """All texts of the tree."""
    return collected()


def run(*arguments: str, language: str = "zh_CN") -> int:
    """A command as people type it; its exit code."""
    patch = pytest.MonkeyPatch()
    patch.setenv("HUB_LANGUAGE", language)
    try:
        main(list(arguments))
    except SystemExit as end:
        return int(end.code or 0)
    finally:
        patch.undo()
    return 0


@pytest.fixture
def collected_once(wanted: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands take what was collected before: the tree does not change between tests."""
    monkeypatch.setattr(texts, "collected", lambda: wanted)


def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str) -> None:
    """The tree's catalogue with one place of it changed."""
    text = (CATALOGUES / "en.po").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "en.po").write_text(text.replace(old, new, 1), encoding="utf-8")
    monkeypatch.setattr(texts, "CATALOGUES", tmp_path)


# The catalogue


def test_the_english_catalogue_is_complete(capsys: pytest.CaptureFixture[str]) -> None:
    code = run("i18n", "check")
    assert code == 0, capsys.readouterr().out


@pytest.mark.usefixtures("collected_once")
@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('msgid "舆情"\nmsgstr "Public opinion"', 'msgid "舆情"\nmsgstr ""', "缺译文：舆情"),
        ('msgid "舆情"\nmsgstr "Public opinion"', 'msgid "从前的话"\nmsgstr "Words of old"', "代码中已没有：从前的话"),
        ('msgid "舆情"\nmsgstr "Public opinion"', 'msgid "从前的话"\nmsgstr "Words of old"', "缺译文：舆情"),
        ('msgid "舆情"', '#, fuzzy\nmsgid "舆情"', "缺译文：舆情"),
        ('msgstr "Case %(number)s"', 'msgstr "Case %(n)s"', "占位与原文不一致：工单 %(number)s"),
        ('msgstr[1] "%(n)s likes"', 'msgstr[1] ""', "缺译文：%(n)s 个赞"),
    ],
    ids=["missing", "left over", "gone", "fuzzy", "places", "plural"],
)
def test_a_hole_in_the_catalogue_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], old: str, new: str,
    complaint: str,
) -> None:  # fmt: skip
    planted(tmp_path, monkeypatch, old, new)
    assert run("i18n", "check") == 1
    assert complaint in capsys.readouterr().out


@pytest.mark.usefixtures("collected_once")
def test_collecting_keeps_translations_and_drops_what_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: Catalog
) -> None:
    planted(tmp_path, monkeypatch, 'msgid "舆情"\nmsgstr "Public opinion"', 'msgid "从前的话"\nmsgstr "Words of old"')
    assert run("i18n", "update") == 0
    with (tmp_path / "en.po").open("rb") as file:
        catalogue = read_po(file, locale="en")
    assert catalogue.get("从前的话") is None
    assert catalogue["舆情"].string == ""
    assert catalogue["稿件"].string == "Posts"
    assert len(catalogue) == len(wanted)


def test_every_marked_text_of_the_python_code_is_collected(wanted: Catalog) -> None:
    missed = []
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            if "node_modules" not in path.parts:
                missed += [f"{path.name}: {text}" for text in marked(path) if not known(wanted, text)]
    assert not missed, "\n".join(missed)


def marked(path: Path) -> list[str]:
    """Texts a module marks, read from the syntax tree: also those inside f-strings, which Babel does not enter."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKS:
            place = 1 if node.func.id in ("pgettext", "NP_") else 0
            given = node.args[place] if len(node.args) > place else None
            if isinstance(given, ast.Constant) and isinstance(given.value, str):
                found.append(given.value)
    return found


def known(wanted: Catalog, text: str) -> bool:
    return any(wanted.get(text, context) for context in (None, "state", "event", "post", "figure"))


def test_every_marked_text_of_the_templates_is_collected(wanted: Catalog) -> None:
    call = re.compile(r"\b(?:_|ngettext)\(\s*(?:'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\")")
    texts_seen = 0
    for path in (ROOT / "web" / "templates").rglob("*.html"):
        code = re.sub(r"\{#.*?#\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        for one, other in call.findall(code):
            text = (one or other).replace("\\n", "\n").replace("\\'", "'")
            assert wanted.get(text) or "gallery" in path.parts, f"{path.name}: {text}"
            texts_seen += 1
    assert texts_seen > 500


def test_no_template_says_chinese_unmarked() -> None:
    call = re.compile(r"\b(?:_|ngettext)\((?:\s*(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")\s*,?)+")
    for path in (ROOT / "web" / "templates").rglob("*.html"):
        if "gallery" in path.parts:
            continue
        code = re.sub(r"\{#.*?#\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        rest = call.sub("", code)
        assert not re.findall(r"[\u4e00-\u9fff，。；：、（）「」]+", rest), path.name


def test_the_sentences_of_connectors_are_collected(wanted: Catalog) -> None:
    assert wanted.get("平台内部出错，系统会核实后处理")
    assert wanted.get("服务器地址")
    assert wanted.get("内容共 %(v1)s 字，超过平台上限 %(v2)s 字，请删减 %(v3)s 字")
    assert not wanted.get("热心市民")


def test_fstrings_become_texts_with_places(tmp_path: Path) -> None:
    module = tmp_path / "one.py"
    code = '"""文档"""\nWHY = "不行"\ndef say(n: int) -> str:\n    """说明"""\n    return f"共 {n} 个，占 {n}%"\n'
    module.write_text(code, encoding="utf-8")
    assert list(sentences(module)) == ["不行", "共 %(v1)s 个，占 %(v2)s%%"]


@pytest.mark.parametrize(
    ("source", "translation", "is_fit"),
    [
        ("工单 %(number)s", "Case %(number)s", True),
        ("工单 %(number)s", "Case", False),
        ("{n} 字", "{n} characters", True),
        ("{n} 字", "{m} characters", False),
        (("%(n)s 条", "%(n)s 条"), ("one", "%(n)s items"), True),
        (("%(n)s 条", "%(n)s 条"), ("one", "items"), False),
        (("%(n)s 条，%(x)s", "%(n)s 条，%(x)s"), ("one", "%(n)s, %(x)s"), False),
    ],
)
def test_places_must_agree(source: str, translation: str, is_fit: bool) -> None:
    message = SimpleNamespace(id=source, string=translation)
    assert texts.same_places(message) is is_fit  # type: ignore[arg-type]


# Looking up


def test_texts_in_three_languages() -> None:
    assert gettext("工单 %(number)s", number="1") == "工单 1"
    with speaking("zh_TW"):
        assert gettext("工单 %(number)s", number="于后") == "工單 于后"
    with speaking("en"):
        assert gettext("工单 %(number)s", number="1") == "Case 1"
        assert gettext("没有译文的话") == "没有译文的话"


def test_a_word_of_two_meanings_has_two_translations() -> None:
    with speaking("en"):
        assert (gettext("挂起"), pgettext("event", "挂起")) == ("Suspend", "Suspended")  # fmt: skip
        assert pgettext("event", "稿件") == "Posts"
    assert pgettext("event", "挂起") == "挂起"


def test_plural_forms() -> None:
    count = "%(n)s 个赞"
    assert [ngettext(count, count, n) for n in (0, 1, 2)] == ["0 个赞", "1 个赞", "2 个赞"]
    with speaking("en"):
        assert [ngettext(count, count, n) for n in (0, 1, 2, 12_345)] == [
            "0 likes", "1 like", "2 likes", "12,345 likes",
        ]  # fmt: skip
    with speaking("zh_TW"):
        assert ngettext(count, count, 23_456) == "2.3萬個讚"


@pytest.mark.parametrize(
    ("kept", "shown"),
    [
        ("平台返回的内容过大，已停止读取", "The platform’s answer is too large; reading stopped"),
        ("审核人退回：错别字", "Sent back by the reviewer: 错别字"),
        (
            "内容共 520 字，超过平台上限 500 字，请删减 20 字",
            "The text has 520 characters, more than the platform’s limit of 500. Cut 20",
        ),
        (
            "平台的列表读不到，尚不能核实：平台返回的内容过大，已停止读取",
            "The platform’s list cannot be read; it cannot be settled yet: The platform’s answer is too large; "
            "reading stopped",
        ),
        ("内容为空，请填写后再提交；邮件答复暂不支持附件，请去掉后再提交",
         "The content is empty. Fill it in and submit again; Answers by mail take no files yet; please remove them"),
        ("路灯坏了三天没人修", "路灯坏了三天没人修"),
        ("", ""),
    ],
)  # fmt: skip
def test_sentences_made_in_chinese_are_said_in_english(kept: str, shown: str) -> None:
    with speaking("en"):
        assert said(kept) == shown
    assert said(kept) == kept


def test_what_people_wrote_is_not_converted() -> None:
    with speaking("zh_TW"):
        assert said("审核人退回：范后里的里程碑") == "審核人退回：范后里的里程碑"
        assert said("这是来信人自己写的话") == "这是来信人自己写的话"


def test_what_is_kept_in_rows_is_chinese_whoever_acts() -> None:
    with speaking("en"):
        kept = written("审核人退回：%(reason)s", reason="typo")
        assert kept == "审核人退回：typo"
        assert said(kept) == "Sent back by the reviewer: typo"


# Traditional Chinese

OFFICIAL = {
    "公里": "公里", "里程": "里程", "邻里": "鄰里", "这里": "這裡", "平台": "平臺", "值班台": "值班臺", "台账": "臺帳",
    "账号": "帳號", "发布": "發布", "公布": "公布", "签收": "簽收", "派单": "派單", "工单": "工單", "办结": "辦結",
    "转办": "轉辦", "并案": "併案", "并入": "併入", "答复": "答覆", "回复": "回覆", "恢复": "恢復", "复核": "複核",
    "批准": "批准", "准确": "準確", "审核": "審核", "舆情": "輿情", "之后": "之後", "先后": "先後", "皇后": "皇后",
    "关于": "關於", "余额": "餘額", "分钟": "分鐘", "种类": "種類", "旅游": "旅遊", "干部": "幹部", "干净": "乾淨",
    "日历": "日曆", "经历": "經歷", "周一": "週一", "征求": "徵求", "制定": "制定", "复制": "複製", "联系": "聯繫",
    "系统": "系統", "咨询": "諮詢", "为了": "為了", "启用": "啟用", "群众": "群眾", "意见": "意見",
    "公开回复": "公開回覆", "控制台": "控制臺", "尽快答复": "儘快答覆", "的工单只有": "的工單只有",
    "可发长微博": "可發長微博", "催签": "催簽", "一个人不能签两道审核": "一個人不能簽兩道審核",
    "从网页上复制过来": "從網頁上複製過來",
    "恢复分析模型": "恢復分析模型", "没有采用": "沒有採用", "销毁": "銷毀",
}  # fmt: skip
NAMED = {
    "范主任": "范主任", "于局长": "于局長", "后女士": "后女士", "沈科长": "沈科長", "余建国同志": "余建國同志",
    "请联系范主任。": "請聯繫范主任。", "示范主任": "示範主任",
}  # fmt: skip


@pytest.mark.parametrize(("simplified", "expected"), OFFICIAL.items())
def test_official_words_take_their_standard_form(simplified: str, expected: str) -> None:
    assert traditional(simplified) == expected


@pytest.mark.parametrize(("simplified", "expected"), NAMED.items())
def test_surnames_before_a_title_are_kept(simplified: str, expected: str) -> None:
    assert traditional(simplified) == expected


def test_words_before_a_title_are_no_surnames() -> None:
    assert traditional("审核后主任会看到") == "審核後主任會看到"
    assert traditional("对于领导") == "對於領導"


@pytest.mark.parametrize("name", ["范志远", "后小云", "于谦", "沈后余", "岳钟琪", "郁涂游", "仇种谷"])
def test_given_names_and_filled_in_names_are_kept(name: str) -> None:
    assert traditional(f"{name}审核后发布", name) == f"{name}審核後發布"
    with speaking("zh_TW"):
        assert gettext("%(who)s起草，第 %(n)s 稿", who=name, n=2) == f"{name}起草，第 2 稿"


def test_our_own_texts_hold_no_simplified_characters_in_traditional(wanted: Catalog) -> None:
    simplified_only = "账号审发单办结签复转这个们为会时说对没关开设处员务动现间问题门见长车东书页网络维护实验压导"
    differing = {c for c in simplified_only if traditional(c) != c}
    with speaking("zh_TW"):
        for message in wanted:
            source = message.id if isinstance(message.id, str) else message.id and message.id[0]
            if source:
                assert not differing & set(gettext(source)), source


# Figures and dates


@pytest.mark.parametrize(
    ("value", "chinese", "traditional_chinese", "english"),
    [
        (0, "0", "0", "0"),
        (9_999, "9,999", "9,999", "9,999"),
        (10_000, "1万", "1萬", "10,000"),
        (12_345, "1.2万", "1.2萬", "12,345"),
        (-12_345, "-1.2万", "-1.2萬", "-12,345"),
        (99_999_499, "9,999.9万", "9,999.9萬", "99,999,499"),
        (99_999_999, "1亿", "1億", "99,999,999"),
        (340_000_000, "3.4亿", "3.4億", "340,000,000"),
    ],
)
def test_numbers(value: int, chinese: str, traditional_chinese: str, english: str) -> None:
    for code, expected in (("zh_CN", chinese), ("zh_TW", traditional_chinese), ("en", english)):
        with speaking(code):
            assert i18n.number(value) == expected


def test_no_blank_stands_between_two_words_of_a_figure() -> None:
    told = [gettext("最近 30 天您能看到的 %(n)s 条留言。", n=i18n.number(n)) for n in (12, 31_000)]
    assert told == ["最近 30 天您能看到的 12 条留言。", "最近 30 天您能看到的 3.1万条留言。"]
    source = (
        "{{ _('%(n)s 条', n=n|number) }}{{ ngettext('%(n)s 件', '%(n)s 件', n) }}{{ _('100%% <b> %(x)s', x='<i>') }}"
    )
    page = environment().from_string(source)
    assert page.render(n=31_000) == "3.1万条3.1万件100% <b> &lt;i&gt;"
    with speaking("zh_TW"):
        assert page.render(n=31_000).startswith("3.1萬條3.1萬件")


def test_dates_and_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "today", lambda: date(2026, 11, 23))
    at = datetime(2026, 11, 23, 1, 5, 12, tzinfo=UTC)
    old = date(2024, 2, 29)
    expected = {
        "zh_CN": ("11月23日 周一", "2024年2月29日", "11月23日 09:05", "42%"),
        "zh_TW": ("11月23日 週一", "2024年2月29日", "11月23日 09:05", "42%"),
        "en": ("Mon 23 Nov", "29 Feb 2024", "23 Nov 09:05", "42%"),
    }
    for code, words in expected.items():
        with speaking(code):
            assert (i18n.day(at, weekday=True), i18n.day(old), i18n.moment(at), i18n.percent(0.42)) == words
            assert i18n.exact(at) == "2026-11-23 09:05:12"


def test_lists_and_asides() -> None:
    assert (i18n.listed(["甲", "乙"]), i18n.sentences(["甲", "乙"]), i18n.aside("甲")) == ("甲、乙", "甲；乙", "（甲）")
    with speaking("en"):
        assert (i18n.listed("ab"), i18n.sentences(["附件", "b"]), i18n.aside("a")) == ("a, b", "Attachment; b", " (a)")


# Choosing


@pytest.mark.parametrize(
    ("accepted", "code"),
    [
        ("", "zh_CN"),
        ("en", "en"),
        ("en-GB,en;q=0.9,zh;q=0.8", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh_CN"),
        ("en;q=0.3, zh-TW;q=0.7", "zh_TW"),
        ("en; q=0.3, zh-Hant-HK; q=0.7", "zh_TW"),
        ("zh-Hans-HK", "zh_CN"),
        ("zh-MO", "zh_TW"),
        ("fr-FR,de;q=0.9", "zh_CN"),
        ("fr, en;q=0.1", "en"),
        ("en;q=0, zh-HK", "zh_TW"),
        ("en;q=0", "zh_CN"),
        ("en;q=broken, zh-TW;q=0.1", "zh_TW"),
        ("en;q=nan, zh-TW;q=0.1", "zh_TW"),
        ("enm, zh-TW;q=0.1", "zh_TW"),
        ("EN-us", "en"),
        ("en_GB.UTF-8", "en"),
        ("zh_TW.UTF-8", "zh_TW"),
        ("C", "zh_CN"),
        ("*", "zh_CN"),
        (";;;,,,=q", "zh_CN"),
    ],
)
def test_the_language_is_chosen_from_what_is_accepted(accepted: str, code: str) -> None:
    assert choose(accepted) == code


def test_an_unknown_language_means_the_default() -> None:
    with speaking("tlh"):
        assert i18n.language() == "zh_CN"


# The command line


def test_the_command_line_speaks_english(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help", language="en") == 0
    said_there = capsys.readouterr().out
    assert "Usage: hub" in said_there
    assert "Check settings, database, queue, accounts, clock and fonts" in said_there
    assert not re.search(r"[\u4e00-\u9fff]", said_there)


@pytest.mark.parametrize("command", ["import", "user", "demo", "doctor", "i18n", "audit", "migrate"])
def test_every_help_is_there_in_both_languages(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(command, "--help", language="zh_CN") == 0
    assert re.search(r"用法：.*[\u4e00-\u9fff]", capsys.readouterr().out, re.DOTALL)
    # Help texts are looked up when a command's module is loaded: English needs a process of its own, as in life.


def test_wrong_usage_is_explained_in_the_language_of_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("nonsense", language="en") == 2
    assert "No such command 'nonsense'" in capsys.readouterr().err
    assert run("nonsense", language="zh_CN") == 2
    assert "没有命令 nonsense。" in capsys.readouterr().err
