#!/bin/sh
# What `make test` runs: what tells a fault in seconds first, then the tests, with the types checked beside them.
set -e
sh scripts/lint.sh quick
command -v "${CHROMIUM:-chromium}" >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
  || echo "No Chromium: the browser tests are skipped. To run them: apt-get install chromium"
types=$(mktemp)
trap 'rm -f "$types"' EXIT
# At low priority, and in the pauses of tests that wait for another process: on a bare machine it takes half a minute.
nice sh scripts/lint.sh types >"$types" 2>&1 &
checker=$!
# In the order of the files: xdist's own order leaves the few long browser tests for the end, and one worker idle.
status=0
pytest -n 2 --dist=loadfile --no-loadscope-reorder --durations=10 -rs "$@" || status=$?
wait "$checker" || status=1
cat "$types"
exit "$status"
