"""The platforms people publish on by hand, as data: sizes, lengths, how links look, what to do in which order.

Lengths and sizes are those in use, from the platforms' own pages for authors; none could be checked against a live
platform. An office changes them in the account's options (``post_length``, ``title_length``, ``pictures``, ``covers``).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cover:
    """One size a platform wants its cover in, pixels."""

    label: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Site:
    """One platform. ``length`` of the text and ``title_length`` in characters; ``title_length`` 0: has no title.

    ``hosts``: where its items live; ``patterns``: the item's id in the path of such an address (one group each).
    ``start``: where a person begins.
    """

    name: str
    label: str
    length: int
    title_length: int
    pictures: int
    covers: tuple[Cover, ...]
    hosts: tuple[str, ...]
    patterns: tuple[str, ...]
    start: str
    needs_title: bool = False


PORTRAIT, THREE_FOUR = Cover("竖版封面 9:16", 1080, 1920), Cover("竖版封面 3:4", 1080, 1440)
OTHER = "other"
_SHORT = r"^/([A-Za-z0-9_-]{4,32})/?$"

SITES: tuple[Site, ...] = (
    Site(
        "douyin", "抖音", 1000, 30, 35, (PORTRAIT, THREE_FOUR), ("douyin.com", "iesdouyin.com"),
        (r"/(?:share/)?(?:video|note|slides)/(\d{8,24})", _SHORT),
        "打开抖音 App 或创作者中心（creator.douyin.com），点「发布作品」，选图文或视频。",
    ),
    Site(
        "kuaishou", "快手", 500, 0, 31, (PORTRAIT, THREE_FOUR), ("kuaishou.com", "chenzhongtech.com", "gifshow.com"),
        (r"/(?:short-video|fw/photo|f|photo)/([A-Za-z0-9_-]{6,64})", _SHORT),
        "打开快手 App 或创作者服务平台（cp.kuaishou.com），点「发布作品」。",
    ),
    Site(
        "bilibili", "哔哩哔哩", 2000, 80, 18, (Cover("封面 16:10", 1146, 717),), ("bilibili.com", "b23.tv"),
        (
            r"/video/(BV[A-Za-z0-9]{10}|av\d{1,15})", r"/(?:opus|read/cv|dynamic)/?(\d{1,24})",
            r"^/(\d{10,24})/?$", _SHORT,
        ),
        "打开哔哩哔哩 App 或创作中心（member.bilibili.com），选「图文」「专栏」或「视频」投稿。", needs_title=True,
    ),
    Site(
        "toutiao", "今日头条", 20_000, 30, 20, (Cover("封面 3:2", 1200, 800),), ("toutiao.com",),
        (r"/(?:article|video|w|is)/([A-Za-z0-9_-]{4,32})", r"/[ai](\d{8,24})", _SHORT),
        "打开头条号后台（mp.toutiao.com），选「文章」「微头条」或「视频」。",
    ),
    Site(
        "xiaohongshu", "小红书", 1000, 20, 18, (THREE_FOUR, Cover("方形封面 1:1", 1080, 1080)),
        ("xiaohongshu.com", "xhslink.com"),
        (
            r"/(?:explore|discovery/item|user/profile/[0-9a-f]+)/([0-9a-f]{24})",
            r"^/(?:[a-z]/)?([A-Za-z0-9_-]{4,32})/?$",
        ),
        "打开小红书 App 或创作服务平台（creator.xiaohongshu.com），点「发布笔记」。", needs_title=True,
    ),
    Site(
        "channels", "微信视频号", 1000, 16, 18, (Cover("竖版封面 3:4", 1080, 1440), Cover("横版封面 4:3", 1440, 1080)),
        ("weixin.qq.com", "channels.weixin.qq.com"), (r"/sph/([A-Za-z0-9_-]{4,64})", r"/finder/\w+/([\w-]{6,128})"),
        "打开微信「视频号」或视频号助手（channels.weixin.qq.com），点「发表」。",
    ),
    Site(
        OTHER, "其他平台", 2000, 60, 18, (Cover("横版封面 16:9", 1280, 720), Cover("方形封面 1:1", 1080, 1080)), (), (),
        "打开平台的 App 或网页后台，找到发布入口。",
    ),
)  # fmt: skip
BY_NAME = {site.name: site for site in SITES}
