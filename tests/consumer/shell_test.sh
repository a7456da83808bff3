#!/bin/sh
# A test that is no program of GoogleTest's. It can be told that there is a sandbox around it.
set -eu
echo "on $(uname -n)"
: >"$TEST_TMPDIR/file"
[ "${EXPECT_SANDBOX:-}" != isolate_run ] || {
  [ "$(uname -n)" = isolate ]
  [ "$(ls /sys/class/net)" = lo ]
}
