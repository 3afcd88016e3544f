#!/bin/sh
# What `make test` runs, cheapest first.
set -e
sh scripts/lint.sh
command -v "${CHROMIUM:-chromium}" >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
  || echo "No Chromium: the browser tests are skipped. To run them: apt-get install chromium"
# In the order of the files: xdist's own order leaves the few long browser tests for the end, and one worker idle.
pytest -n 2 --dist=loadfile --no-loadscope-reorder --durations=10 -rs "$@"
