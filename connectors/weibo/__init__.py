"""Sina Weibo: the open platform's calls, the pushes of its fan-service platform, and a simulator of both."""
