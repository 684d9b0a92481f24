"""The expression language of policies and mappings: a part of Python, run by an interpreter of our own.

``parsing`` reads and judges a text; ``evaluation`` runs it, inside a ``budget``, on ``values`` that hold nothing but
data.
"""
