#!/bin/sh
# Lint, format, types, import rules, one migration leaf per app and none missing. `types` or `quick`: these alone, or all but these.
set -e
if [ "${1:-}" != types ]; then
  ruff check .
  ruff format --check .
  lint-imports
  DJANGO_SETTINGS_MODULE=tests.settings python manage.py makemigrations --check --dry-run
fi
[ "${1:-}" = quick ] || mypy
