#!/bin/sh
# What the machine on which this runs lets a sandbox have, as a test: for remote
# workers. It passes where the default sandbox can be had; its log says the rest.
exec "$(dirname "$0")/isolate" doctor
