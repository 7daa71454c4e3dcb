"""The demonstration: one process tree, one console, one invented city."""
