#!/bin/sh
# Runs a test program as common workers of remote execution run actions: in a container of its own
# without a network or privileges, which may make namespaces, with limits. The report tells what failed.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH
output=$(prlimit --nofile=1024 --core=0 -- \
  unshare --user --map-current-user --pid --fork --mount --mount-proc --net --ipc --uts -- \
  setpriv --no-new-privs "$@" 2>&1)
status=$?
# Passed or failed; a program that could not isolate its tests has another one.
[ "$status" -le 1 ] && exit
printf '%s\n' "$output"
exit "$status"
