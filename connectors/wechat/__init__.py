"""WeChat official accounts (微信公众号): messages by push, answers within 48 hours, articles, their comments."""
