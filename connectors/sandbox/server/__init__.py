"""The pretend platform itself: a Weibo-shaped API, pushes, a control API for tests, and a page to type into."""

from connectors.sandbox.server.app import create_app

__all__ = ["create_app"]
