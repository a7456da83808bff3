#!/bin/sh
# A test that is no program of GoogleTest's. With --config=isolate_run it finds a sandbox around it.
set -eu
echo "in $(uname -n)"
[ -z "${EXPECT_HOSTNAME:-}" ] || [ "$(uname -n)" = "$EXPECT_HOSTNAME" ]
[ -z "${EXPECT_HOSTNAME:-}" ] || [ ! -e /tmp/isolate_consumer ]
: >"$TEST_TMPDIR/file"
