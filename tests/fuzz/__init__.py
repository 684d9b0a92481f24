"""Mutational fuzzing of the cores that read what strangers send: HTTP/1, HTTP/2, HPACK, PROXY headers, ClientHellos.

    PYTHONPATH=tests python -m fuzz                     every target in turn, until it is stopped
    PYTHONPATH=tests python -m fuzz http1 --seconds 60  some, for a while
    PYTHONPATH=tests python -m fuzz.http1 --seed 7      one module's

Each target takes bytes, feeds them to a core whole, byte by byte and in random pieces, and holds it to three things:
nothing is raised that is not declared, nothing grows beyond its limit, and the outcome does not depend on the pieces.
What breaks one of them is written to a file and named; as a new seed it stays broken for nobody.
"""
