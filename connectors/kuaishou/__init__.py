"""Kuaishou, as far as its open platform serves offices: videos and their figures; the rest by a person."""
