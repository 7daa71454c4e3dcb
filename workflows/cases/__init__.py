"""Cases: states, clocks, routing, the one door, lists."""
