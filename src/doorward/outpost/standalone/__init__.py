"""An outpost on its own: what it needs where no Doorward identity provider keeps its sessions.

``issuers`` knows what OpenID Connect providers publish about themselves, ``sealed`` and ``sealed_store`` keep a session
in the browser's cookies, ``file_store`` keeps it in a file, ``ledger`` remembers what must happen once or is over,
``back_channel_logout`` hears of logouts, and ``answering`` puts all of it around an ``Outpost``.
"""
