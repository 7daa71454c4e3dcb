"""Platforms without an interface for official accounts: a person publishes, by steps, and brings back the link."""
