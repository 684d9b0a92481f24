"""Many people at once, and everything about one: files of users in and out."""
