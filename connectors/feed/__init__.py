"""Feeds (RSS and Atom): what others publish, read with as little traffic as they allow."""
