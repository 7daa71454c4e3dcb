"""The only place where platform, text and rows meet."""
