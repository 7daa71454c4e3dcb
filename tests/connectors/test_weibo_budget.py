"""Which calls count against which of Weibo's limits, and whose word on them counts."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest

from connectors.base import AccountRef, ConnectorError, ErrorKind, Kind, Outgoing
from connectors.http import Http
from connectors.weibo.client import WeiboConnector
from tests.connectors.test_weibo_read import CountingMeter
from tests.sims.weibo import LINK, WeiboControl


async def test_posts_comments_and_messages_are_counted_apart(weibo: WeiboControl, press: AccountRef) -> None:
    """The platform allows so many posts an hour, and more comments; private answers count in neither."""
    meter = CountingMeter()
    connector = WeiboConnector(Http(live=False, meter=meter))
    [mention] = weibo.mentions(press.external_id, "路灯坏了", author="小赵")
    weibo.messages(press.external_id, "举报噪声", author="小钱")
    told = Outgoing("今晚修", "k", mention, Kind.mention, mention)
    said = Outgoing("已转", "k", "1", Kind.private, target_author_id=weibo.uid_of("小钱"))
    counted = []
    for act in (
        lambda: connector.publish(press, Outgoing(f"通知 {LINK}", "k")), lambda: connector.reply(press, told),
        lambda: connector.reply(press, said), lambda: connector.delete(press, mention),
    ):  # fmt: skip
        meter.taken.clear()
        with suppress(ConnectorError):
            await act()
        counted.append(set(meter.taken) - {"all"})
    assert counted == [{"write"}, {"comment"}, set(), set()]


async def test_too_many_comments_hold_up_no_post(weibo: WeiboControl, press: AccountRef) -> None:
    meter = CountingMeter()
    connector = WeiboConnector(Http(live=False, meter=meter))
    [mention] = weibo.mentions(press.external_id, "路灯坏了")
    weibo.rules(comments_per_hour=1, writes_per_hour=30)
    await connector.reply(press, Outgoing("今晚修", "k", mention, Kind.mention, mention))
    with pytest.raises(ConnectorError) as caught:
        await connector.reply(press, Outgoing("明早修", "k", mention, Kind.mention, mention))
    assert caught.value.kind is ErrorKind.rate_limited
    assert [(one.calls, one.left) for one in meter.told] == [("comment", 0)], "and nothing of posts"
    await connector.publish(press, Outgoing(f"通知 {LINK}", "k"))
    meter.told.clear()
    await connector.check(press)
    apart = {one.calls: (one.left, one.most) for one in meter.told if one.per == timedelta(hours=1)}
    assert (apart["write"], apart["comment"]) == ((29, 30), (0, 1))
