"""Identity sources: the other places people come from, and how what they say about somebody becomes a user here."""
