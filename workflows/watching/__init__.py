"""Monitoring plans: what an office watches for, what they hit, when they raise an alarm."""
