"""Events get a proof and a place in a chain; what was written before has neither, and is adopted when it begins."""

import django.utils.timezone
from django.db import migrations, models

import doorward.identity.events.models


class Migration(migrations.Migration):
    dependencies = [("events", "0001_initial")]

    operations = [
        migrations.AddField("event", "proof", models.CharField(editable=False, max_length=64, null=True)),
        migrations.AddField("event", "number", models.BigIntegerField(editable=False, null=True)),
        migrations.SeparateDatabaseAndState(
            # The time is set by the program in both cases: the table stays as it is.
            state_operations=[
                migrations.AlterField(
                    "event", "created", models.DateTimeField(db_index=True, default=django.utils.timezone.now)
                ),
            ],
        ),
        migrations.AlterField(
            "event",
            "expires",
            models.DateTimeField(db_index=True, default=doorward.identity.events.models.default_expiry),
        ),
        migrations.AddIndex("event", models.Index(fields=["action", "-created"], name="events_action_created")),
        migrations.AddIndex("event", models.Index(fields=["client_ip", "-created"], name="events_ip_created")),
        migrations.AddIndex(
            "event",
            models.Index(condition=models.Q(("number", None)), fields=["created"], name="events_unsealed"),
        ),
        migrations.CreateModel(
            name="Link",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("event", models.UUIDField(unique=True)),
                ("proof", models.CharField(max_length=64)),
                ("expires", models.DateTimeField()),
                ("sealed", models.DateTimeField()),
                ("mac", models.CharField(max_length=64)),
            ],
        ),
        migrations.CreateModel(
            name="Chain",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("number", models.BigIntegerField(default=0)),
                ("mac", models.CharField(blank=True, default="", max_length=64)),
                ("begun", models.DateTimeField(default=django.utils.timezone.now)),
                ("proof", models.CharField(max_length=64)),
                ("verified", models.DateTimeField(null=True)),
                ("findings", models.JSONField(default=list)),
            ],
        ),
    ]
