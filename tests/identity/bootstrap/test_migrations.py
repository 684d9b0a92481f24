"""The schema is what the models say."""

from __future__ import annotations

from django.core.management import call_command


def test_no_model_differs_from_its_migrations(db: None) -> None:
    """A changed model without its migration is found here, not at somebody's upgrade."""
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
