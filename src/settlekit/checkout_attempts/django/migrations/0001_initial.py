"""Make the table of attempts."""
# ruff: noqa: RUF012
# pyright: basic, reportArgumentType=false, reportMissingTypeStubs=false

from django.db import migrations, models


class Migration(migrations.Migration):  # type: ignore[misc]  # Django ships no types
    """What ``manage.py migrate settlekit_checkout`` makes."""

    initial = True

    dependencies: tuple[str, ...] = ()

    operations = [
        migrations.CreateModel(
            name="CheckoutAttempt",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("order_id", models.CharField(max_length=255)),
                ("number", models.IntegerField()),
                ("nonce", models.CharField(max_length=32)),
                ("merchant", models.CharField(max_length=255)),
                ("amount_minor", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("state", models.CharField(max_length=16)),
                ("session_id", models.CharField(max_length=255, null=True)),
                ("checkout_url", models.TextField(null=True)),
                ("challenge_hash", models.CharField(db_index=True, max_length=255, null=True)),
                ("claim", models.CharField(max_length=32, null=True)),
                ("claimed_until", models.DateTimeField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "db_table": "settlekit_checkout_attempts",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("order_id", "number"), name="settlekit_one_attempt"
                    )
                ],
            },
        ),
    ]
