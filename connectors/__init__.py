"""Platforms in plain data; stores nothing."""
