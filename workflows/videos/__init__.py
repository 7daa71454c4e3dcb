"""Videos of posts: put in piece by piece, cleaned in a process of their own, kept in the data folder."""
