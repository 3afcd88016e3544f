#!/bin/sh
# Lint, format, types, import rules, one migration leaf per app and none missing.
set -e
ruff check .
ruff format --check .
mypy
lint-imports
DJANGO_SETTINGS_MODULE=tests.settings python manage.py makemigrations --check --dry-run
