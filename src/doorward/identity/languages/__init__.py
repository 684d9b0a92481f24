"""Which language speaks to whom, and the message files that it speaks from."""
