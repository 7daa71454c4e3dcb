"""A language model that the office runs itself, behind the OpenAI-compatible interface: text in, text out."""
