"""Pages, the API and the command line: web shows."""
