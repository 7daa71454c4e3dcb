"""What citizens wrote, for people to read: the list with its filters, one message with its thread and tags."""
