"""Goes the way of a browser through whatever stands in front of an application, and names what is wrong with it.

Nothing here knows the program's own configuration: what can be seen from outside is what counts. The command
``doorward doctor`` shows every step; the standing probe asks only the one question whether a stranger is let in.
"""
