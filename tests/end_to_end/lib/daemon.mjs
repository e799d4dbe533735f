// SPDX-License-Identifier: Apache-2.0
// Starts the real daemon on a free port with a folder of its own, and sets up an app through the admin API.
import { spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

export const adminEmail = "admin@example.com";
export const adminPassword = "correct horse battery staple";
const startDeadline = 10_000;

export async function startDaemon({ binary = process.env.KEYTURND, dir, args = [] } = {}) {
  if (!binary) throw new Error("KEYTURND must name the keyturnd binary");
  const ownDir = dir === undefined;
  const data = dir ?? mkdtempSync(join(tmpdir(), "keyturn-e2e-"));
  const portFile = join(data, "port");
  rmSync(portFile, { force: true });
  const log = [];
  const child = spawn(
    binary,
    ["serve", "--data", data, "--listen", "127.0.0.1:0", "--port-file", portFile, "--admin-email", adminEmail,
      "--email-dir", join(data, "mail"), "--allow-short-lifetimes", ...args],
    { env: { PATH: process.env.PATH, KEYTURN_ADMIN_PASSWORD: adminPassword }, stdio: ["ignore", "pipe", "pipe"] },
  );
  child.stdout.on("data", (d) => log.push(String(d)));
  child.stderr.on("data", (d) => log.push(String(d)));
  const exited = new Promise((resolve) => child.on("exit", (code, signal) => resolve({ code, signal })));
  const until = Date.now() + startDeadline;
  while (!existsSync(portFile) || readFileSync(portFile, "utf8").trim() === "") {
    if (child.exitCode !== null || Date.now() > until) throw new Error(`keyturnd did not start:\n${log.join("")}`);
    await wait(10);
  }
  const baseUrl = `http://127.0.0.1:${readFileSync(portFile, "utf8").trim()}`;
  return {
    baseUrl,
    data,
    log: () => log.join(""),
    async stop(signal = "SIGTERM") {
      child.kill(signal);
      const end = await exited;
      if (ownDir) rmSync(data, { recursive: true, force: true });
      return end;
    },
  };
}

export class Admin {
  constructor(baseUrl) {
    this.base = `${baseUrl}/api/admin/v3.0`;
  }

  async call(method, path, body) {
    const headers = { Accept: "application/json" };
    if (this.token) headers.Authorization = `Bearer ${this.token}`;
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const response = await fetch(this.base + path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === "" ? null : JSON.parse(text);
  }

  async logIn() {
    const answer = await this.call("POST", "/auth/providers/local-userpass/login", { username: adminEmail, password: adminPassword });
    this.token = answer.access_token;
    this.group = (await this.call("GET", "/auth/profile")).roles[0].group_id;
    return this;
  }

  // An app with every provider of this release switched on.
  async createApp(name, { accessSeconds, refreshSeconds } = {}) {
    const app = await this.call("POST", `/groups/${this.group}/apps`, { name });
    const path = `/groups/${this.group}/apps/${app._id}`;
    await this.call("POST", `${path}/auth_providers`, { type: "anon-user" });
    await this.call("POST", `${path}/auth_providers`, {
      type: "local-userpass",
      config: { autoConfirm: true, emailConfirmationUrl: "http://localhost/confirm", resetPasswordUrl: "http://localhost/reset",
        confirmEmailSubject: "Confirm", resetPasswordSubject: "Reset" },
    });
    await this.call("POST", `${path}/secrets`, { name: "jwtKey", value: jwtSecret });
    await this.call("POST", `${path}/auth_providers`, {
      type: "custom-token",
      config: { audience: [], signingAlgorithm: "HS256", useJWKURI: false },
      secret_config: { signingKeys: ["jwtKey"] },
      metadata_fields: [{ required: false, name: "user_data.name", field_name: "name" }],
    });
    const keys = (await this.call("GET", `${path}/auth_providers`)).find((p) => p.type === "api-key");
    await this.call("PUT", `${path}/auth_providers/${keys._id}/enable`);
    const settings = {};
    if (accessSeconds) settings.access_token_lifetime_seconds = accessSeconds;
    if (refreshSeconds) settings.refresh_token_lifetime_seconds = refreshSeconds;
    if (Object.keys(settings).length) await this.call("PATCH", `${path}/security/token_settings`, settings);
    return { id: app.client_app_id, path };
  }
}

const jwtSecret = "a-secret-of-forty-characters-for-testing!";

// A JWT of an issuer that the app above trusts.
export function customJwt(appId, subject, { expires = Math.floor(Date.now() / 1000) + 600, secret = jwtSecret } = {}) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const text = `${part({ alg: "HS256", typ: "JWT" })}.${part({ aud: appId, sub: subject, exp: expires, user_data: { name: "Ada" } })}`;
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}
