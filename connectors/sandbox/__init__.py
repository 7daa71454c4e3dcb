"""A pretend platform in the shape of Weibo, served over real HTTP, and the connector that talks to it."""
