"""Measurements with ratios side by side in one run; see ``docs/explanation/performance.md``."""
