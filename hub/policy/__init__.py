"""Thresholds and time limits as data: versioned packs with the rule each figure comes from."""
