"""What following a feed takes."""

from connectors.forms import WEB, AccountForm, Field, Place

FORM = AccountForm(
    "feed",
    "订阅源",
    "读取网站的 RSS 或 Atom 订阅源，例如留言板、新闻媒体。只收，不能回复。",
    (
        Field(
            "base_url", "订阅源地址", Place.base_url, "以 https:// 开头，网站上标有 RSS 或 Atom 的链接。", schemes=WEB
        ),
        Field(
            "cases",
            "逐条立案",
            Place.option,
            "留言板选「是」，每条开一张工单；新闻媒体选「否」，只作监测。",
            required=False,
            choices=(("", "否"), ("是", "是")),
        ),
        Field(
            "pull_every",
            "读取间隔（秒）",
            Place.option,
            "不填为 900，也就是 15 分钟。",
            required=False,
            whole=(60, 604_800),
        ),
    ),
)
