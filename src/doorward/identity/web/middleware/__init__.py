"""What is established about every request before a view sees it, and what every answer carries."""
