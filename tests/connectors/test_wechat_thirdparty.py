"""A simulator that a third-party client cannot use is wrong: wechatpy drives all of it."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from connectors.wechat.simulator.pushing import sealed
from connectors.wechat.simulator.world import new_official
from tests.sims.wechat import PNG, Control

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from wechatpy import WeChatClient, parse_message
    from wechatpy.crypto import WeChatCrypto
    from wechatpy.exceptions import APILimitedException, WeChatClientException

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def account(wechat_platform: Control) -> dict[str, Any]:
    wechat_platform.post("reset")
    return wechat_platform.account(review_seconds=0.1)


@pytest.fixture
def client(wechat_platform: Control, account: dict[str, Any]) -> WeChatClient:
    class Local(WeChatClient):  # type: ignore[misc]
        API_BASE_URL = f"{wechat_platform.base_url}/cgi-bin/"

        def fetch_access_token(self) -> Any:
            url = f"{self.API_BASE_URL}token"
            params = {"grant_type": "client_credential", "appid": self.appid, "secret": self.secret}
            return self._fetch_access_token(url, params)

    made = Local(account["app"], account["secret"])
    made._http.trust_env = False
    return made


def until(look: Callable[[], Any], wechat_platform: Control) -> Any:
    """wechatpy has no waiting of its own."""
    wechat_platform.until(lambda state: look(), 10)
    return look()


def image() -> io.BytesIO:
    made = io.BytesIO(PNG)
    made.name = "a.png"
    return made


def draft(client: WeChatClient, **more: Any) -> str:
    cover = client.material.add("image", image())
    inside = client.media.upload_image(image())
    content = f'<p>明早停水</p><img src="{inside}"><script>x()</script>'
    article = {
        "title": "停水通知", "author": "临江发布", "content": content,
        "thumb_media_id": cover["media_id"], "digest": "", "content_source_url": "", **more,
    }  # fmt: skip
    return str(client.post("draft/add", data={"articles": [article]})["media_id"])


def test_token_and_its_renewal(client: WeChatClient, wechat_platform: Control, account: dict[str, Any]) -> None:
    first = client.access_token
    assert len(first) > 100
    assert client.misc.get_wechat_ips() == ["127.0.0.1"]
    wechat_platform.post("revoke", app=account["app"])
    assert client.misc.get_wechat_ips() == ["127.0.0.1"], "it takes the code for a dead token as such and fetches anew"
    assert client.access_token != first


def test_customer_messages(client: WeChatClient, wechat_platform: Control, account: dict[str, Any]) -> None:
    openid = wechat_platform.say(account, "路灯坏了")["openid"]
    assert client.message.send_text(openid, "今晚修好")["errcode"] == 0
    assert wechat_platform.says("official") == ["今晚修好"]
    for _ in range(4):
        client.message.send_text(openid, "再答")
    with pytest.raises(WeChatClientException) as caught:
        client.message.send_text(openid, "第六次")
    assert caught.value.errcode == 45047
    with pytest.raises(WeChatClientException) as caught:
        client.message.send_text("oNobody", "好")
    assert caught.value.errcode == 40003


def test_quotas(client: WeChatClient, wechat_platform: Control, account: dict[str, Any]) -> None:
    openid = wechat_platform.say(account, "好")["openid"]
    wechat_platform.post("accounts", app=account["app"], quotas={"message": 0})
    with pytest.raises(APILimitedException):
        client.message.send_text(openid, "好")


def test_draft_publish_and_what_follows(client: WeChatClient, wechat_platform: Control) -> None:
    media_id = draft(client, need_open_comment=1)
    (article,) = client.post("draft/get", data={"media_id": media_id})["news_item"]
    assert article["digest"] == "明早停水"
    assert "<script" not in article["content"]
    assert "mmbiz.qpic.cn" in article["content"]
    assert client.get("draft/count")["total_count"] == 1
    listed = client.post("draft/batchget", data={"offset": 0, "count": 20, "no_content": 1})
    assert listed["item"][0]["media_id"] == media_id
    assert "content" not in listed["item"][0]["content"]["news_item"][0]
    taken = client.post("freepublish/submit", data={"media_id": media_id})

    def status() -> Any:
        found = client.post("freepublish/get", data={"publish_id": taken["publish_id"]})
        return found if found["publish_status"] == 0 else None

    done = until(status, wechat_platform)
    assert done["article_detail"]["item"][0]["article_url"].startswith("http://mp.weixin.qq.com/")
    assert client.post("freepublish/getarticle", data={"article_id": done["article_id"]})["news_item"]
    assert client.post("freepublish/batchget", data={"offset": 0, "count": 20, "no_content": 0})["total_count"] == 1
    with pytest.raises(WeChatClientException) as caught:
        client.post("freepublish/submit", data={"media_id": media_id})
    assert caught.value.errcode == 40007, "a draft is used up"
    _comments(client, wechat_platform, taken["msg_data_id"])
    assert client.post("freepublish/delete", data={"article_id": done["article_id"], "index": 0})["errcode"] == 0
    assert client.post("freepublish/get", data={"publish_id": taken["publish_id"]})["publish_status"] == 5


def _comments(client: WeChatClient, platform: Control, data_id: int) -> None:
    (number,) = platform.post("comments", msg_data_id=str(data_id), text="什么时候来水？")["ids"]
    listed = client.material.list_comment(data_id, 0, 0, 49)
    assert (listed["total"], listed["comment"][0]["content"]) == (1, "什么时候来水？")
    place = (data_id, 0, int(number))
    assert client.material.add_reply_comment(*place, "下午三点")["errcode"] == 0
    assert client.material.list_comment(data_id, 0, 0, 49)["comment"][0]["reply"]["content"] == "下午三点"
    with pytest.raises(WeChatClientException) as caught:
        client.material.add_reply_comment(*place, "又一次")
    assert caught.value.errcode == 88005
    assert client.material.markelect_comment(*place)["errcode"] == 0
    assert client.material.unmarkelect_comment(*place)["errcode"] == 0
    assert client.material.delete_reply_comment(*place)["errcode"] == 0
    assert client.material.delete_comment(*place)["errcode"] == 0
    assert client.material.close_comment(data_id, 0)["errcode"] == 0
    with pytest.raises(WeChatClientException) as caught:
        client.material.list_comment(data_id, 0, 0, 49)
    assert caught.value.errcode == 88001
    assert client.material.open_comment(data_id, 0)["errcode"] == 0


def test_mass_messages(client: WeChatClient, wechat_platform: Control) -> None:
    media_id = draft(client)
    given = {"is_to_all": True, "client_msg_id": "key-1"}
    first = client.message.send_mass_article("", media_id, **given)
    until(lambda: client.message.get_mass(first["msg_id"])["msg_status"] == "SEND_SUCCESS", wechat_platform)
    with pytest.raises(WeChatClientException) as caught:
        client.message.send_mass_article("", media_id, **given)
    assert caught.value.errcode == 45065
    assert caught.value.response.json()["msg_id"] == first["msg_id"]
    assert client.message.delete_mass(first["msg_id"])["errcode"] == 0


def test_media(client: WeChatClient) -> None:
    assert client.media.upload("image", image())["type"] == "image"
    for wrong, code in ((io.BytesIO(b"no picture"), 40005), (io.BytesIO(b"\x89PNG\r\n\x1a\n" + bytes(1024**2)), 40009)):
        wrong.name = "a.png"
        with pytest.raises(WeChatClientException) as caught:
            client.media.upload_image(wrong)
        assert caught.value.errcode == code


def test_material_is_listed_given_out_and_deleted(client: WeChatClient) -> None:
    kept = client.material.add("image", image())["media_id"]
    assert client.material.get(kept).content == PNG
    assert client.material.get_count()["image_count"] == 1
    assert [one["media_id"] for one in client.material.batchget("image")["item"]] == [kept]
    temporary = client.media.upload("image", image())["media_id"]
    assert client.media.download(temporary).content == PNG
    assert client.material.get_count()["image_count"] == 1, "what is temporary is none"
    assert client.material.delete(kept)["errcode"] == 0
    assert refused(lambda: client.material.get(kept)) == 40007
    assert refused(lambda: client.material.add("thumb", image())) == 40005, "JPG only"


def test_a_draft_is_changed_and_shown_to_one_before_all_get_it(
    client: WeChatClient, wechat_platform: Control, account: dict[str, Any]
) -> None:
    openid, media_id = wechat_platform.say(account, "好")["openid"], draft(client)
    (article,) = client.post("draft/get", data={"media_id": media_id})["news_item"]
    changed = {"media_id": media_id, "index": 0, "articles": {**article, "title": "停水通知（更正）"}}
    assert client.post("draft/update", data=changed)["errcode"] == 0
    assert refused(lambda: client.post("draft/update", data={**changed, "index": 3})) == 40114
    assert client.message.send_mass_article(openid, media_id, preview=True)["errcode"] == 0
    assert wechat_platform.says("preview") == ["停水通知（更正）"]
    assert client.get("draft/count")["total_count"] == 1, "a preview uses nothing up"


def test_what_there_is_not_is_refused_in_the_platforms_way(client: WeChatClient, account: dict[str, Any]) -> None:
    assert refused(lambda: client.post("nonsense", data={})) == 40066
    assert refused(lambda: client.get("draft/add")) == 43002
    assert refused(lambda: client.post("draft/count", data={})) == 43001
    for _ in range(10):
        assert client.post("clear_quota", data={"appid": account["app"]})["errcode"] == 0
    assert refused(lambda: client.post("clear_quota", data={"appid": account["app"]})) == 48006


def refused(act: Callable[[], Any]) -> int:
    with pytest.raises(WeChatClientException) as caught:
        act()
    return int(caught.value.errcode)


@pytest.mark.parametrize("mode", ["plain", "compatible", "secure"])
def test_it_understands_the_pushes(mode: str) -> None:
    official = new_official("临江发布", mode=mode)
    values = {"ToUserName": official.gh, "FromUserName": "o1", "CreateTime": 1764230000, "MsgType": "text",
              "Content": "路灯]]>坏了", "MsgId": "42"}  # fmt: skip
    query, body = sealed(official, values, "1764230000")
    if mode != "plain":
        crypto = WeChatCrypto(official.token, official.aes_key, official.app)
        body = crypto.decrypt_message(body, query["msg_signature"], query["timestamp"], query["nonce"])
    message = parse_message(body)
    assert (message.type, message.id, message.source, message.content) == ("text", 42, "o1", "路灯]]>坏了")
