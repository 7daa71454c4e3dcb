"""Douyin, as far as its open platform serves websites: picture posts, works, their comments and figures, messages."""
