"""The tests: a mirror of the five rooms, and whole journeys, contracts, faults and pages."""
