"""Pictures of posts: cleaned on the way in, kept with the database, made to fit each platform on the way out."""
