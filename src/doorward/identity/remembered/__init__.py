"""What hardly ever changes (brands, flows, stages, bindings, applications, settings), remembered between requests and
never a moment too long.

::

    a statement writes configuration ──► the table's trigger gives the database another mark, in the same transaction
    a request wants configuration    ──► reads the mark (one short query) ──► what was kept under that mark, else loads

A mark is a random number. It changes with every single statement that touches a watched table, whoever sends it: a
page, the API, a blueprint, ``QuerySet.update``, another replica, an older version of the program, a person at a
database prompt. It goes back only where the data goes back with it: in a rollback. What is kept was
read *after* its mark was, so whoever reads the same mark again finds nothing older than what the database holds.

Everybody gets copies of what is kept, and changing one changes nobody else's.
"""
