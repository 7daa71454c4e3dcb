"""What rules say, as data: the working calendar and the clock packs, each with its version and source."""
