// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { Admin, startDaemon } from "./lib/daemon.mjs";
import { addData } from "./lib/data_app.mjs";
import "./lib/journey_tools.js";
import "./data_journeys.js";

const Realm = createRequire(import.meta.url)("realm-web");

let daemon;
let env;

before(async () => {
  daemon = await startDaemon();
  const admin = await new Admin(daemon.baseUrl).logIn();
  const app = await admin.createApp("data", { accessSeconds: 2 });
  await addData(admin, app);
  env = { baseUrl: daemon.baseUrl, appId: app.id, expireSeconds: 2.5 };
});

after(() => daemon?.stop());

for (const [name, journey] of Object.entries(globalThis.dataJourneys)) {
  test(`documents with realm-web in Node.js: ${name}`, { timeout: 30_000 }, () => journey(Realm, { ...env, unique: randomUUID() }));
}
