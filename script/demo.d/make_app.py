#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the demo's app through the admin API and prints its client app id.

Usage: make_app.py ACCESS_SECONDS REFRESH_SECONDS, with KEYTURN_URL, KEYTURN_ADMIN_EMAIL, KEYTURN_ADMIN_PASSWORD set.
"""
import json
import os
import sys
import urllib.request

ADMIN = os.environ["KEYTURN_URL"] + "/api/admin/v3.0"
token = None


def call(method, path, body=None):
    headers = {"Accept": "application/json"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    if token:
        headers["Authorization"] = "Bearer " + token
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(ADMIN + path, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=10) as response:
        text = response.read()
    return json.loads(text) if text else None


access_seconds, refresh_seconds = int(sys.argv[1]), int(sys.argv[2])
token = call("POST", "/auth/providers/local-userpass/login",
             {"username": os.environ["KEYTURN_ADMIN_EMAIL"], "password": os.environ["KEYTURN_ADMIN_PASSWORD"]})["access_token"]
group = call("GET", "/auth/profile")["roles"][0]["group_id"]
app = call("POST", f"/groups/{group}/apps", {"name": "demo"})
path = f"/groups/{group}/apps/{app['_id']}"
call("POST", path + "/auth_providers", {"type": "local-userpass", "config": {"autoConfirm": True}})
call("PATCH", path + "/security/token_settings",
     {"access_token_lifetime_seconds": access_seconds, "refresh_token_lifetime_seconds": refresh_seconds})
print(app["client_app_id"])
