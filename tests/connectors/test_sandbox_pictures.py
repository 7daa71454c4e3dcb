"""Posts with pictures and titles on the pretend platform."""

from __future__ import annotations

import io

import httpx
import pytest
from PIL import Image

from connectors.base import AccountRef, Attachment, ConnectorError, Done, Effect, Outgoing
from connectors.sandbox.client import SandboxConnector
from tests.sims.sandbox import Control


@pytest.fixture
def ref(sandbox: Control) -> AccountRef:
    return sandbox.ref(sandbox.account("临江发布"))


def picture(kind: str = "PNG", description: str = "") -> Attachment:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(out, kind)
    return Attachment(f"a.{kind.lower()}", f"image/{kind.lower()}", out.getvalue(), description, 40, 30)


async def test_an_article_stands_with_title_and_pictures(
    sandbox: Control, client: SandboxConnector, ref: AccountRef
) -> None:
    pictures = (picture("PNG", "一面红墙"), picture("JPEG"))
    out = Outgoing("正文", "k", title="停水通告", form="article", attachments=pictures)
    assert client.validate(ref, out) == []
    done = await client.publish(ref, out)
    assert isinstance(done, Done)
    page = httpx.get(done.url).text
    assert "<h3>停水通告</h3>" in page
    assert page.index('alt="一面红墙"') < page.index('alt=""')
    address = page.split('<img src="')[1].split('"')[0]
    shown = httpx.get(ref.base_url + address)
    assert (shown.headers["content-type"], shown.content) == ("image/png", pictures[0].data)
    assert shown.headers["x-content-type-options"] == "nosniff"


async def test_a_picture_that_fails_leaves_the_post_surely_unsent(
    sandbox: Control, client: SandboxConnector, ref: AccountRef
) -> None:
    sandbox.fault("drop", operation="upload", count=1)
    with pytest.raises(ConnectorError) as lost:
        await client.publish(ref, Outgoing("带图", "k", attachments=(picture(),)))
    assert lost.value.effect is Effect.not_done
    assert sandbox.accepted() == []
    assert isinstance(await client.publish(ref, Outgoing("带图", "k", attachments=(picture(),))), Done)
    assert len(sandbox.accepted()) == 1


def test_rules_about_pictures(client: SandboxConnector, ref: AccountRef) -> None:
    ten = tuple(picture() for _ in range(10))
    assert [p.text for p in client.validate(ref, Outgoing("文", "k", attachments=ten))] == [
        "「短微博」最多 9 张图片，现在 10 张"
    ]
    bare = Outgoing("文", "k", title="题", form="article")
    assert [p.text for p in client.validate(ref, bare)] == ["「头条文章」要有封面图片"]
    foreign = Attachment("a.webp", "image/webp", b"RIFF", "", 1, 1)
    assert len(client.validate(ref, Outgoing("文", "k", attachments=(foreign,)))) == 1
