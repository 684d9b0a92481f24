"""Tests of the token room."""
