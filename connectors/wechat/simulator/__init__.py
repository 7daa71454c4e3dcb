"""A pretend WeChat official-accounts platform over real HTTP: its calls, its pushes, a page and a control API."""

from connectors.wechat.simulator.app import create_app

__all__ = ["create_app"]
