"""The same press office as for deliveries."""

from tests.workflows.delivery.conftest import any_office, hands, office, outbox_platform, sandbox

__all__ = ["any_office", "hands", "office", "outbox_platform", "sandbox"]
