"""What is said about a message: the analyser's tags with their version, and a person's correction, which wins."""
