"""Backups: one file with everything that a state folder holds, and the way back from it."""
