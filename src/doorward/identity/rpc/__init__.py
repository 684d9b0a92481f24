"""The data plane's private questions (``messages.sessions``), answered on a Unix socket that only our own processes
can open. ``app`` is the WSGI callable; ``table`` says which question is answered by what."""
