"""What people fill in on the pages behind the login, as typed data."""
