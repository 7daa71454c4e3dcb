"""Who is told when a delivery is settled: the room that asked for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from hub.db import Unit
from hub.models import Delivery, DeliveryKind
from workflows.cases.telling import settled as stage_settled
from workflows.publishing.settling import settled as post_settled
from workflows.replies.settling import settled as reply_settled

Owner = Callable[[Unit, Delivery], Awaitable[None]]

OWNERS: dict[DeliveryKind, Owner] = {
    DeliveryKind.post: post_settled,
    DeliveryKind.reply: reply_settled,
    DeliveryKind.stage: stage_settled,
}
