// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";
import { Admin, customJwt, startDaemon } from "./lib/daemon.mjs";
import { addData } from "./lib/data_app.mjs";
import { addFunctions } from "./lib/functions_app.mjs";
import "./lib/journey_tools.js";
import "./data_journeys.js";
import "./functions_journeys.js";
import "./realm_web_journeys.js";

const require = createRequire(import.meta.url);
const source = (path) => readFileSync(new URL(path, import.meta.url));
const scripts = {
  "/realm.js": readFileSync(require.resolve("realm-web/dist/bundle.iife.js")),
  "/tools.js": source("./lib/journey_tools.js"),
  "/journeys.js": source("./realm_web_journeys.js"),
  "/functions.js": source("./functions_journeys.js"),
  "/data.js": source("./data_journeys.js"),
};
const page = `<!doctype html><title>journeys</title>${Object.keys(scripts).map((path) => `<script src="${path}"></script>`).join("")}`;

let daemon;
let env;
let site;
let browser;

before(async () => {
  daemon = await startDaemon();
  site = createServer((request, response) => {
    const text = request.url === "/" ? page : scripts[request.url];
    response.writeHead(text ? 200 : 404, { "Content-Type": request.url === "/" ? "text/html" : "text/javascript" });
    response.end(text ?? "");
  });
  await new Promise((resolve) => site.listen(0, "127.0.0.1", resolve));
  const admin = await new Admin(daemon.baseUrl).logIn();
  const app = await admin.createApp("browser-journeys", { accessSeconds: 2 });
  await addFunctions(admin, app);
  await addData(admin, app);
  // The page is of another origin than the server: only an allowed one may read the answers.
  await admin.call("POST", `${app.path}/security/allowed_request_origins`, [`http://127.0.0.1:${site.address().port}`]);
  const serverKey = (await admin.call("POST", `${app.path}/api_keys`, { name: "server" })).key;
  env = {
    baseUrl: daemon.baseUrl, appId: app.id, serverKey, expireSeconds: 2.5, jwt: customJwt(app.id, "ada"),
    forgedJwt: customJwt(app.id, "ada", { secret: "another-secret-of-forty-characters-or-so" }),
  };
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync"],
  });
});

after(async () => {
  await browser?.close();
  site?.close();
  await daemon?.stop();
});

const all = ["journeys", "functionJourneys", "dataJourneys"].flatMap((set) => Object.keys(globalThis[set]).map((name) => [set, name]));
for (const [set, name] of all) {
  test(`realm-web in Chromium: ${name}`, { timeout: 60_000 }, async () => {
    const context = await browser.newContext();
    try {
      const tab = await context.newPage();
      await tab.goto(`http://127.0.0.1:${site.address().port}/`);
      const failed = await tab.evaluate(
        ([from, which, environment]) => globalThis[from][which](globalThis.Realm, environment).then(() => null, (e) => String(e)),
        [set, name, { ...env, unique: randomUUID() }],
      );
      if (failed) throw new Error(failed);
    } finally {
      await context.close();
    }
  });
}
