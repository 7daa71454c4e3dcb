"""Bilibili, as far as its open platform serves offices: articles, figures; the rest by a person."""
