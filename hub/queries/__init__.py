"""Reading: every query goes through ``visible_to(actor)``."""
