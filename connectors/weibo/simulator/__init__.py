"""Weibo pretended: the open platform and the fan-service platform over real HTTP on this machine.

It stands beside the connector, in the folder of its platform, and is built on the parts of the sandbox: the store, the
citizens, the faults, the pushes, the page and the control API are the sandbox's, so that whoever knows one knows both.
What is Weibo's own is here: apps and grants by page, budgets of calls, the exact shapes and codes, what an ordinary app
may not do. The connector does not load it, and it does not load the connector.
"""

from connectors.weibo.simulator.app import create_app

__all__ = ["create_app"]
