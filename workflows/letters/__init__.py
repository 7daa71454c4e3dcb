"""Letters on our own page: written without signing in, followed with a query code that only the citizen has."""
