"""Make the inbox's table."""
# ruff: noqa: RUF012
# pyright: basic, reportArgumentType=false, reportMissingTypeStubs=false

from django.db import migrations, models


class Migration(migrations.Migration):  # type: ignore[misc]  # Django ships no types
    """What ``manage.py migrate settlekit_webhooks`` makes."""

    initial = True

    dependencies: tuple[str, ...] = ()

    operations = [
        migrations.CreateModel(
            name="WebhookEvent",
            fields=[
                ("event_id", models.CharField(max_length=255, primary_key=True, serialize=False)),
                ("event_type", models.CharField(max_length=255)),
                ("kind", models.CharField(max_length=64)),
                ("state", models.CharField(max_length=16)),
                ("reason", models.CharField(max_length=255, null=True)),
                ("body", models.TextField()),
                ("occurred_at", models.DateTimeField()),
                ("received_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
                ("claim", models.CharField(max_length=32)),
                ("claimed_until", models.DateTimeField()),
                ("attempts", models.IntegerField(default=1)),
                ("error", models.CharField(max_length=255, null=True)),
            ],
            options={
                "db_table": "settlekit_webhook_events",
                "indexes": [
                    models.Index(fields=["state", "received_at"], name="settlekit_wh_state")
                ],
            },
        ),
    ]
