"""Exchange of work orders with other systems (12345 hotlines and the like): signed both ways, neutral in between."""
