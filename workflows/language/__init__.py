"""The language room as commands and pages use it: files tagged and grouped, models taught, measured and reported."""
