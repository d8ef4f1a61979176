"""The tables of the shop."""

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = ()

    operations = (
        migrations.CreateModel(
            name="Order",
            fields=[
                ("order_id", models.CharField(max_length=100, primary_key=True, serialize=False)),
                ("product_id", models.CharField(max_length=100)),
                ("amount_minor", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("status", models.CharField(default="open", max_length=10)),
                ("challenge_hash", models.CharField(max_length=255, null=True, unique=True)),
                ("chain_receipt_id", models.CharField(max_length=255, null=True)),
                ("metered_usage_id", models.CharField(max_length=255, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="SettledBatch",
            fields=[
                (
                    "settlement_batch_id",
                    models.CharField(max_length=255, primary_key=True, serialize=False),
                ),
                ("chain_receipt_id", models.CharField(max_length=255)),
                ("usage_event_digest", models.CharField(max_length=255)),
            ],
        ),
    )
