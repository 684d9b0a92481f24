"""The REST API, ``/api/v3`` (``contracts/identity.md`` section 9): authentik's resources, so that its clients work.

One folder per first segment of the path, one file per resource: its serializer says what a request may hold and what
an answer holds, its filters say what a list may be asked, and its view calls the ``actions`` of the room that owns
the objects. What all resources share lies beside the folders.
"""
