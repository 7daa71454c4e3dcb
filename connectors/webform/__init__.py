"""The office's own letter page: letters are written into the hub itself, answers are read there with a query code."""
