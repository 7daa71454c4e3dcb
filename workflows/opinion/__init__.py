"""What the public thinks, in figures: counts that are kept, heat, the leaders' page."""
