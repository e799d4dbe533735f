#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# install_test.sh BUILD_DIR COMPILER
#
# Installs BUILD_DIR into an empty prefix and builds the program beside this script outside the tree against it, once by
# find_package and once by pkg-config; each must print what it should.
set -euo pipefail

build=$1
compiler=$2
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
prefix=$scratch/prefix

check() { # WHAT COMMAND...
  local what=$1 printed
  shift
  printed=$("$@")
  [ "$printed" = "demo-abcde 0" ] || {
    echo "$what printed: $printed" >&2
    exit 1
  }
  echo "$what: as it should be"
}

cmake --install "$build" --prefix "$prefix" >"$scratch/install.log"
cp -r "$here/program" "$scratch/source"

cmake -G Ninja -S "$scratch/source" -B "$scratch/cmake" -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_PREFIX_PATH="$prefix" >"$scratch/cmake.log" ||
  { cat "$scratch/cmake.log" && exit 1; }
cmake --build "$scratch/cmake"
check "find_package(keyturn)" "$scratch/cmake/program"

PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name keyturn.pc)")
export PKG_CONFIG_PATH
read -ra flags <<<"$(pkg-config --cflags --libs keyturn)"
"$compiler" -std=c++20 -o "$scratch/by_pkg_config" "$scratch/source/main.cpp" "${flags[@]}"
check "pkg-config keyturn" "$scratch/by_pkg_config"

# `keyturn` shows the help of `keyturn-full`, which lies beside it and calls itself the same.
for program in keyturnd keyturn keyturn-full; do
  "$prefix/bin/$program" --help >"$scratch/help" && grep -q "^Usage: ${program%-full} " "$scratch/help" ||
    { echo "$program --help failed" >&2 && exit 1; }
  echo "$program --help: as it should be"
done

# The server starts from there, with the module that it loads.
"$prefix/bin/keyturnd" serve --data "$scratch/data" --listen 127.0.0.1:0 --port-file "$scratch/port" --link-clusters \
  >"$scratch/server.log" 2>&1 &
server=$!
for _ in $(seq 100); do
  [ -s "$scratch/port" ] && break
  sleep 0.1
done
kill -TERM "$server"
wait "$server" && [ -s "$scratch/port" ] || { cat "$scratch/server.log" >&2 && exit 1; }
grep -q "functions cannot run" "$scratch/server.log" && { cat "$scratch/server.log" >&2 && exit 1; }
echo "keyturnd serve --link-clusters: as it should be"
