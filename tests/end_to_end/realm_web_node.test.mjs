// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { Admin, customJwt, startDaemon } from "./lib/daemon.mjs";
import "./lib/journey_tools.js";
import "./realm_web_journeys.js";

const Realm = createRequire(import.meta.url)("realm-web");

let daemon;
let env;

before(async () => {
  daemon = await startDaemon();
  const admin = await new Admin(daemon.baseUrl).logIn();
  const app = await admin.createApp("node-journeys", { accessSeconds: 2 });
  const serverKey = (await admin.call("POST", `${app.path}/api_keys`, { name: "server" })).key;
  env = {
    baseUrl: daemon.baseUrl, appId: app.id, serverKey, expireSeconds: 2.5, jwt: customJwt(app.id, "ada"),
    forgedJwt: customJwt(app.id, "ada", { secret: "another-secret-of-forty-characters-or-so" }),
  };
});

after(() => daemon?.stop());

for (const [name, journey] of Object.entries(globalThis.journeys)) {
  test(`realm-web in Node.js: ${name}`, { timeout: 30_000 }, () => journey(Realm, { ...env, unique: randomUUID() }));
}
