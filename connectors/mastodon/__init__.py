"""The Mastodon client API, as spoken by Mastodon, GoToSocial, Takahē and their kin."""
