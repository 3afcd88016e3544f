#!/bin/sh
# /usr/local/lib/facevault/backup.sh DIR: one dated folder per run, complete in itself; run it as the facevault user.
# The database comes first: a file is written before its row, so every row of the copy finds its file in what follows.
set -eu
umask 077
APP=${FACEVAULT_APP:-/opt/facevault}
PYTHON=${PYTHON:-$APP/.venv/bin/python}
KEEP=${KEEP:-14}
: "${FACEVAULT_DATA:?comes from /etc/facevault/facevault.env}"
TARGET=$(realpath "$1")
NOW=$(date -u +%Y-%m-%dT%H%M%SZ)
PART="$TARGET/.$NOW.part"
LAST=$(find "$TARGET" -mindepth 1 -maxdepth 1 -type d -name '2*Z' | sort | tail -n 1)

mkdir -p "$PART/files"
if [ -n "${DATABASE_URL:-}" ]; then
    pg_dump --format=custom --no-owner --file="$PART/database.dump" "$DATABASE_URL"
else
    # By the project's SQLite, as everything that opens the database: the system's may have the WAL race.
    cd "$APP"
    "$PYTHON" - "$FACEVAULT_DATA/facevault.sqlite3" "$PART/facevault.sqlite3" <<'PYTHON'
import sys
import facevault_site
import sqlite3
from contextlib import closing

with closing(sqlite3.connect(sys.argv[1], timeout=60)) as live:
    live.execute("VACUUM INTO ?", (sys.argv[2],))
with closing(sqlite3.connect(sys.argv[2])) as copy:
    found = copy.execute("PRAGMA integrity_check").fetchone()[0]
if found != "ok":
    sys.exit(f"the copy is damaged: {found}")
PYTHON
fi

# What is made anew or must not live longer than its hour stays out. Unchanged files are links into the last backup.
rsync --archive ${LAST:+--link-dest="$LAST/files"} \
    --exclude='/facevault.sqlite3*' --exclude='/incoming/' --exclude='/static/' --exclude='/exports/' --exclude='/probes/' \
    "$FACEVAULT_DATA/" "$PART/files/"

# Only a whole backup has its name, and only after it the oldest go.
mv "$PART" "$TARGET/$NOW"
find "$TARGET" -mindepth 1 -maxdepth 1 -type d -name '2*Z' | sort | head -n "-$KEEP" | while read -r OLD; do
    rm -rf "$OLD"
done
find "$TARGET" -mindepth 1 -maxdepth 1 -type d -name '.2*.part' -mmin +1440 -exec rm -rf {} +
echo "$TARGET/$NOW"
