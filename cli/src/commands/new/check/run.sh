#!/bin/sh
# Says whether the file is there and holds something. Each folder in fixtures/pass has to pass,
# each in fixtures/fail has to fail: `skill check test` tries them.
if [ -s "$1" ]; then
    echo "result: written"
else
    echo "result: missing or empty"
    exit 1
fi
