#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Called by script/demo with KEYTURN_URL, KEYTURN_SCRATCH and the administrator's credentials in the environment.
set -euo pipefail

access_seconds=2
refresh_seconds=8
app_id=$(python3 script/demo.d/make_app.py "$access_seconds" "$refresh_seconds")
build/release/tests/demo/main_job "$KEYTURN_URL" "$app_id" "$KEYTURN_SCRATCH/device" "$access_seconds" "$refresh_seconds"
