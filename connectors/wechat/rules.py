"""What may go out: the forms of posts, lengths, titles, pictures. Pure."""

from __future__ import annotations

from connectors.answers import EMPTY
from connectors.base import Kind, Outgoing, PostForm, Problem
from connectors.pictures import against_pictures, form_named
from connectors.wechat.publishing import MASS

MESSAGE_BYTES = 2048
COMMENT_LENGTH = 600
ARTICLE_LENGTH = 20_000
TITLE_LENGTH = 64
PICTURES = 20
# The platform takes less than 1 MB.
PICTURE_BYTES = 1024 * 1024 - 1
TYPES = ("image/jpeg", "image/png")
COVER = (900, 383)


def _form(name: str, label: str, note: str) -> PostForm:
    return PostForm(
        name,
        label,
        ARTICLE_LENGTH,
        note,
        title_length=TITLE_LENGTH,
        needs_title=True,
        pictures=PICTURES,
        picture_types=TYPES,
        picture_bytes=PICTURE_BYTES,
        cover=COVER,
        needs_cover=True,
    )


FORMS = (
    _form("", "发布文章", "不通知关注者，不占群发次数。第一张图作封面；单独一行写[图2]，就是第二张图的位置。"),
    _form(
        MASS,
        "群发文章",
        "推送给全部关注者：订阅号每天 1 次，服务号每人每月 4 次；有群发保护的，管理员要在 30 分钟内确认。图片同上。",
    ),
)


def problems_of(out: Outgoing) -> list[Problem]:
    """Every reason why ``out`` cannot go out as it stands."""
    problems = [] if out.text.strip() else [Problem("text", EMPTY)]
    if out.target_kind is None:
        return problems + _article(out)
    if out.target_kind is Kind.private:
        problems += _message(out)
    elif over := max(0, len(out.text) - COMMENT_LENGTH):
        problems.append(Problem("text", f"留言答复共 {len(out.text)} 字，最多 {COMMENT_LENGTH} 字，请删减 {over} 字"))
    if out.attachments:
        problems.append(Problem("media", "微信公众号的答复只能是文字，请去掉图片"))
    if not out.target_id:
        problems.append(Problem("target", "没有指明要回复的内容"))
    return problems


def _message(out: Outgoing) -> list[Problem]:
    problems = [] if out.target_author_id else [Problem("target", "缺少收信人，无法答复")]
    if over := _characters_over(out.text):
        problems.append(Problem("text", f"微信一次答复最多 2048 字节（约 682 个汉字），请删减 {over} 字"))
    return problems


def _characters_over(text: str) -> int:
    """How many characters must go from the end until the rest fits."""
    encoded = text.encode("utf-8", "replace")
    return len(text) - len(encoded[:MESSAGE_BYTES].decode("utf-8", "ignore")) if len(encoded) > MESSAGE_BYTES else 0


def _article(out: Outgoing) -> list[Problem]:
    problems = []
    if out.form not in {form.name for form in FORMS}:
        problems.append(Problem("form", "微信公众号没有这种发布方式，请重新选择"))
    if not out.title.strip():
        problems.append(Problem("title", "微信文章须有标题"))
    if over := max(0, len(out.title.strip()) - TITLE_LENGTH):
        problems.append(Problem("title", f"标题最多 {TITLE_LENGTH} 字，请删减 {over} 字"))
    if over := max(0, len(out.text) - ARTICLE_LENGTH):
        problems.append(Problem("text", f"正文共 {len(out.text)} 字，最多 {ARTICLE_LENGTH} 字，请删减 {over} 字"))
    return problems + against_pictures(out.attachments, form_named(FORMS, out.form))
