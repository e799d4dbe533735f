# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by the scripts beside it: where the project is, how to build it, how to tell what happens.

set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
  bold=$'\e[1m' red=$'\e[31m' green=$'\e[32m' plain=$'\e[0m'
else
  bold='' red='' green='' plain=''
fi

say() { printf '%s\n' "${bold}$*${plain}"; }
die() {
  printf '%s\n' "${red}$(basename "$0"): $*${plain}" >&2
  exit 1
}

# The comment at the top of a script is its help.
show_help() { sed -n '/^# SPDX/d; /^#!/d; /^#/!q; s/^# \{0,1\}//p' "$root/script/$(basename "$0")"; }

# As many compilers as there are cores, but no more than memory allows (1.5 GiB each).
jobs() {
  local cores memory
  cores=$(nproc)
  memory=$(awk '/^MemAvailable/ {print int($2 / 1572864)}' /proc/meminfo)
  [ "${memory:-1}" -ge 1 ] || memory=1
  echo "${KEYTURN_JOBS:-$((cores < memory ? cores : memory))}"
}

# configure PRESET: only when it has not been done; ninja runs CMake again when a CMakeLists.txt changed.
configure() {
  [ ! -f "build/$1/build.ninja" ] || return 0
  mkdir -p build
  cmake --preset "$1" >"build/$1-configure.log" 2>&1 || {
    cat "build/$1-configure.log" >&2
    return 1
  }
}

# build PRESET [TARGET...]
build() {
  local preset=$1
  shift
  configure "$preset" || return 1
  cmake --build "build/$preset" -j "$(jobs)" ${1:+--target "$@"}
}

# step NAME COMMAND...: runs the command and tells how long it took.
step() {
  local name=$1 start=$SECONDS status=0
  shift
  say "== $name"
  "$@" || status=$?
  if [ "$status" -eq 0 ]; then
    printf '%s\n' "${green}== $name: done in $((SECONDS - start)) s${plain}"
  else
    printf '%s\n' "${red}== $name: failed after $((SECONDS - start)) s${plain}"
  fi
  return "$status"
}
