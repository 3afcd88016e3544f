"""The group of those who only look exists from here on, like the other three."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def create_group(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("auth", "Group").objects.get_or_create(name="viewer")


class Migration(migrations.Migration):
    dependencies = [("access", "0002_site_around")]
    operations = [migrations.RunPython(create_group, migrations.RunPython.noop)]
