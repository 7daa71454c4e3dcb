"""Every platform by name: its connector and the form to connect an account."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from connectors.addresses import Network
from connectors.base import Connector
from connectors.bilibili.client import BilibiliConnector
from connectors.bilibili.form import FORM as BILIBILI_FORM
from connectors.budget import Meter
from connectors.douyin.client import DouyinConnector
from connectors.douyin.form import FORM as DOUYIN_FORM
from connectors.exchange.client import ExchangeConnector
from connectors.exchange.form import FORM as EXCHANGE_FORM
from connectors.feed.client import FeedConnector
from connectors.feed.form import FORM as FEED_FORM
from connectors.files.client import FileConnector
from connectors.files.form import FORM as FILE_FORM
from connectors.forms import AccountForm
from connectors.http import Clock, Http, utc_now
from connectors.kuaishou.client import KuaishouConnector
from connectors.kuaishou.form import FORM as KUAISHOU_FORM
from connectors.mailbox.client import MailboxConnector
from connectors.mailbox.form import FORM as MAILBOX_FORM
from connectors.manual.client import ManualConnector
from connectors.manual.form import FORM as MANUAL_FORM
from connectors.mastodon.client import MastodonConnector
from connectors.mastodon.form import FORM as MASTODON_FORM
from connectors.pool import Pool
from connectors.sandbox.client import SandboxConnector
from connectors.sandbox.form import FORM as SANDBOX_FORM
from connectors.webform.client import WebFormConnector
from connectors.webform.form import FORM as WEBFORM_FORM
from connectors.wechat.client import WechatConnector
from connectors.wechat.form import FORM as WECHAT_FORM
from connectors.weibo.client import WeiboConnector
from connectors.weibo.form import FORM as WEIBO_FORM

_MAKERS: Mapping[str, Callable[[Http], Connector]] = {
    "sandbox": SandboxConnector,
    "weibo": WeiboConnector,
    "mastodon": MastodonConnector,
    "douyin": DouyinConnector,
    "bilibili": BilibiliConnector,
    "kuaishou": KuaishouConnector,
    "manual": lambda _: ManualConnector(),
    "wechat": WechatConnector,
    "mailbox": MailboxConnector,
    "webform": WebFormConnector,
    "feed": FeedConnector,
    "exchange": ExchangeConnector,
    "file": lambda _: FileConnector(),
}
_FORMS = (
    SANDBOX_FORM, WEIBO_FORM, MASTODON_FORM, WECHAT_FORM, DOUYIN_FORM, BILIBILI_FORM, KUAISHOU_FORM, MANUAL_FORM,
    MAILBOX_FORM, WEBFORM_FORM, FEED_FORM, EXCHANGE_FORM, FILE_FORM,
)  # fmt: skip
FORMS: Mapping[str, AccountForm] = {form.platform: form for form in _FORMS}


def connectors(
    live: bool,
    clock: Clock = utc_now,
    meter: Meter | None = None,
    inner: Sequence[Network] = (),
    pool: Pool | None = None,
) -> Mapping[str, Connector]:
    """Every connector by platform. ``live`` False: nothing beyond this machine is ever reached.

    ``inner``: networks of the office's own that mailboxes and other systems of work orders may be in; ``pool``:
    connections kept open between readings, to be closed by whoever brings it.
    """
    http = Http(live, clock, meter=meter, inner=inner, pool=pool)
    return {platform: make(http) for platform, make in _MAKERS.items()}


def connector(platform: str, live: bool, clock: Clock = utc_now) -> Connector:
    """One connector; KeyError for an unknown platform."""
    return _MAKERS[platform](Http(live, clock))
