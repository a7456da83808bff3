# What the scripts in this folder share. To be sourced by bash, not run.
# shellcheck shell=bash

ROOT=$(cd -P "${BASH_SOURCE[0]%/*}/.." && pwd)
readonly ROOT
# As the user knows it, however it was called: tools/bazel, say.
PROGRAM=$(readlink -f "$0")
readonly PROGRAM=${PROGRAM#"$ROOT/"}

# For what is made once and serves every checkout: never a part of the tree.
# Without HOME, bash's ~ is the home directory in passwd.
CACHE=${ISOLATE_CACHE_DIR:-${XDG_CACHE_HOME:-${HOME:-~}/.cache}/isolate}
readonly CACHE

say() { printf '%s: %s\n' "$PROGRAM" "$*" >&2; }

# Ends the script with a message that says what to do next.
die() {
  say "$@"
  exit 1
}

# Holds the lock of $CACHE while it runs a command, so that of several set-ups
# at the same time one does the work and the others find it done.
with_cache_locked() {
  local lock=$CACHE/.lock
  [[ -r $lock ]] || { mkdir -p "$CACHE" && : >>"$lock"; } 2>/dev/null ||
    die "cannot write to the cache folder $CACHE: set ISOLATE_CACHE_DIR to a folder that you can write to."
  exec 9<"$lock"
  flock 9
  "$@"
  exec 9<&-
}

# Runs a command that takes its time, and ends it when this script is ended.
run_interruptibly() {
  "$@" &
  local child=$! status=0
  # shellcheck disable=SC2064  # this child, whatever the variable holds later
  trap "kill $child; wait $child; exit 130" INT
  # shellcheck disable=SC2064
  trap "kill $child; wait $child; exit 143" TERM HUP
  wait "$child" || status=$?
  trap - INT TERM HUP
  return "$status"
}

# Installs Debian packages. Signals wait until that is done: half an
# installation is no use to anyone.
install_packages() {
  local by_hand="as root, run:
  apt-get update && apt-get install --no-install-recommends $*"
  command -v apt-get >/dev/null ||
    die "missing what Debian calls $*: install that in your system's own way."
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=600)
  if [[ $EUID -ne 0 ]]; then
    sudo -n true 2>/dev/null || die "missing $*; $by_hand"
    apt=(sudo -n "${apt[@]}")
  fi
  local install=("${apt[@]}" install --yes --no-install-recommends "$@")
  say "installing $* from Debian's packages"
  trap '' INT TERM HUP
  # The first try fails where apt's lists are missing or too old.
  if ! "${install[@]}" </dev/null >/dev/null 2>&1; then
    say "updating apt's lists of packages"
    "${apt[@]}" update </dev/null >&2 || true # a broken source need not matter
    "${install[@]}" </dev/null >&2 ||
      die "apt-get could not install $*. Mend what it says above; then, $by_hand"
  fi
  trap - INT TERM HUP
}

# need PROGRAM PACKAGE...: installs the packages of the programs that are missing.
need() {
  local packages=()
  while (($#)); do
    command -v "$1" >/dev/null || packages+=("$2")
    shift 2
  done
  ((${#packages[@]} == 0)) || install_packages "${packages[@]}"
}

# own_files PATTERN...: the files of the tree with such names, each ended by a
# null byte. What begins with a dot is another program's, but for .ci.
own_files() {
  local names=() pattern
  for pattern; do names+=(-o -name "$pattern"); done
  (cd "$ROOT" && find . .ci -mindepth 1 \( -name '.*' -prune \) -o -type f \( "${names[@]:1}" \) -print0) | sed -z 's|^\./||'
}

# Sets `buildifier` to the program of that name, from npm's package of it.
need_buildifier() {
  local version=8.2.1 arch
  case $(uname -m) in
    x86_64) arch=amd64 ;;
    aarch64) arch=arm64 ;;
    *) die "there is no buildifier for $(uname -m)" ;;
  esac
  buildifier=$CACHE/buildifier-$version
  [[ -x $buildifier ]] || with_cache_locked install_buildifier "$version" "$arch"
}

install_buildifier() {
  [[ ! -x $buildifier ]] || return 0 # another one did it while we waited
  need npm npm
  say "installing buildifier $1 from npm into $CACHE"
  local folder
  folder=$(mktemp -d "$CACHE/.making-buildifier-XXXXXX")
  # shellcheck disable=SC2064  # this folder, whatever the variable holds later
  trap "rm -rf '$folder'" EXIT
  run_interruptibly npm install --prefix "$folder" --ignore-scripts --no-audit --no-fund --loglevel=error \
    "@bazel/buildifier@$1" </dev/null >/dev/null ||
    die "npm could not install @bazel/buildifier@$1. Mend what it says above, or put that program at $buildifier"
  mv "$folder/node_modules/@bazel/buildifier/buildifier-linux_$2" "$buildifier"
  rm -rf "$folder"
  trap - EXIT
}

# Prints the comment at the top of the script: what --help says.
usage() { sed -n '2,/^[^#]/{/^#/{s/^# \{0,1\}//;p}}' "$0"; }

bad_usage() {
  say "unknown argument $1; see $PROGRAM --help"
  exit 2
}
