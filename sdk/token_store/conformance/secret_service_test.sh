#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# secret_service_test.sh TEST_PROGRAM
#
# Row B-36 against a real gnome-keyring on a D-Bus of its own: a store is made, found again, told as locked or
# missing while the keyring is locked, empty or not running, left as it is each time, and opens again when the key is back.
# Exit code 77: gnome-keyring or D-Bus is not installed.
set -euo pipefail
command -v gnome-keyring-daemon >/dev/null && command -v dbus-run-session >/dev/null || exit 77
program=$(realpath "$1")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export HOME=$folder XDG_DATA_HOME=$folder/data XDG_RUNTIME_DIR=$folder/run XDG_CONFIG_HOME=$folder/config
export KEYTURN_FOLDER=$folder PROGRAM=$program
mkdir -m 700 "$XDG_RUNTIME_DIR" "$XDG_DATA_HOME"
unset DISPLAY WAYLAND_DISPLAY

# session PASSWORD STEP: the step in a new session, with the login keyring unlocked by the password ("" leaves it locked,
# "none" runs no daemon).
session() {
  PASSWORD=$1 STEP=$2 timeout 60 dbus-run-session -- bash -c '
    set -e
    if [ "$PASSWORD" != none ]; then
      if [ -n "$PASSWORD" ]; then
        printf %s "$PASSWORD" | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1
      else
        gnome-keyring-daemon --start --components=secrets >/dev/null 2>&1
      fi
    fi
    KEYTURN_STEP=$STEP "$PROGRAM" --gtest_also_run_disabled_tests --gtest_filter=*RealSecretService >"$HOME/log" 2>&1
  ' 2>/dev/null || {
    cat "$folder/log"
    echo "FAILED: step $2 with keyring '$1'"
    exit 1
  }
}
digest() { cat "$folder"/store/*.db "$folder"/store/*.good | sha256sum; }

session secret make
before=$(digest)
session secret there
session "" locked
mv "$folder/data/keyrings" "$folder/away"
session other missing
[ "$(digest)" = "$before" ] || { echo "FAILED: the store was changed"; exit 1; }
rm -rf "$folder/data/keyrings"
mv "$folder/away" "$folder/data/keyrings"
session secret there
echo "a real Secret Service keeps the key; locked, replaced and back again"
