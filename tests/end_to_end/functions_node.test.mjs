// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { Admin, startDaemon } from "./lib/daemon.mjs";
import { addFunctions } from "./lib/functions_app.mjs";
import "./lib/journey_tools.js";
import "./functions_journeys.js";

const Realm = createRequire(import.meta.url)("realm-web");

let daemon;
let admin;
let app;
let env;

before(async () => {
  daemon = await startDaemon();
  admin = await new Admin(daemon.baseUrl).logIn();
  app = await admin.createApp("functions", { accessSeconds: 2 });
  await addFunctions(admin, app);
  env = { baseUrl: daemon.baseUrl, appId: app.id, expireSeconds: 2.5 };
});

after(() => daemon?.stop());

for (const [name, journey] of Object.entries(globalThis.functionJourneys)) {
  test(`functions with realm-web in Node.js: ${name}`, { timeout: 30_000 }, () => journey(Realm, { ...env, unique: randomUUID() }));
}

const options = { timeout: 30_000 };
const failsWith = (code) => (error) => error.message.includes(code);
const user = () => new Realm.App({ id: app.id, baseUrl: daemon.baseUrl }).logIn(Realm.Credentials.anonymous(false));
const addFunction = (name, source, more = {}) => admin.call("POST", `${app.path}/functions`, { name, source, ...more });

test("a source that does not compile is refused", options, async () => {
  await assert.rejects(addFunction("broken", "exports = function ( {"), failsWith("FunctionSyntaxError"));
  await addFunction("pasted", "\n\n   exports = async ({ a }) => a // without an end");
  const begin = Date.now();
  await addFunction("endless", "for (;;); exports = () => 1");
  assert.ok(Date.now() - begin < 10_000, "it is compiled and not run");
});

test("an administrator tries a function out", options, async () => {
  const system = await admin.call("POST", `${app.path}/debug/execute_function?run_as_system=true`, { name: "noise", arguments: [] });
  assert.deepEqual([system.result, system.logs, "error" in system], [{ $numberLong: "1" }, ["one", "two"], false]);
  const caller = await user();
  const path = `${app.path}/debug/execute_function?user_id=${caller.id}`;
  assert.equal((await admin.call("POST", path, { name: "whoAmI", arguments: [] })).result.id, caller.id);
  const thrown = await admin.call("POST", path, { name: "fails", arguments: ["no"] });
  assert.deepEqual([thrown.result, thrown.error], [null, "no"]);
  await assert.rejects(admin.call("POST", path, { name: "missing", arguments: [] }), failsWith("FunctionNotFound"));
  await assert.rejects(admin.call("POST", `${app.path}/debug/execute_function`, { name: "noise" }), failsWith("exactly one of"));
});

test("the app's log tells each call", options, async () => {
  const caller = await user();
  await caller.functions.noise();
  const { logs } = await admin.call("GET", `${app.path}/logs?type=FUNCTION&user_id=${caller.id}`);
  assert.deepEqual(logs.map((line) => [line.function_name, line.messages, line.error]), [["noise", ["one", "two"], ""]]);
});

test("a time limit ends a function that hangs, and refreshes go on meanwhile", options, async () => {
  await addFunction("hangs", "exports = () => { for (;;) {} };");
  await admin.call("PATCH", `${app.path}/functions_settings`, { timeout_seconds: 1 });
  const caller = await user();
  const hung = Array.from({ length: 4 }, () => caller.functions.hangs().then(() => "ended", (error) => error.errorCode));
  const begin = Date.now();
  await caller.refreshAccessToken();
  assert.ok(Date.now() - begin < 500, "the refresh waited");
  assert.deepEqual(await Promise.all(hung), Array(4).fill("ExecutionTimeLimitExceeded"));
  await admin.call("PATCH", `${app.path}/functions_settings`, { timeout_seconds: null });
});

test("functions confirm users and reset passwords", options, async () => {
  const place = await admin.createApp("by-functions");
  const add = (name, source) => admin.call("POST", `${place.path}/functions`, { name, source, private: true });
  await add("confirm", 'exports = async ({ token, tokenId, username }) => ({ status: username.split("-")[0] });');
  await add("reset", 'exports = ({ username, password, currentPasswordValid }, word) => ({ status: word === "please" && !currentPasswordValid ? "success" : "fail" });');
  const providers = await admin.call("GET", `${place.path}/auth_providers`);
  const { _id } = providers.find((each) => each.type === "local-userpass");
  await admin.call("PATCH", `${place.path}/auth_providers/${_id}`, {
    config: { autoConfirm: false, runConfirmationFunction: true, confirmationFunctionName: "confirm", runResetFunction: true, resetFunctionName: "reset" },
  });
  const realm = new Realm.App({ id: place.id, baseUrl: daemon.baseUrl });
  const register = (email) => realm.emailPasswordAuth.registerUser({ email, password: "first-password" });
  await register("success-1@example.org");
  await realm.logIn(Realm.Credentials.emailPassword("success-1@example.org", "first-password"));
  await register("pending-1@example.org");
  await assert.rejects(realm.logIn(Realm.Credentials.emailPassword("pending-1@example.org", "first-password")), failsWith("unauthorized"));
  await assert.rejects(register("fail-1@example.org"), failsWith('failed to confirm user "fail-1@example.org"'));
  const reset = (password, ...more) =>
    realm.emailPasswordAuth.callResetPasswordFunction({ email: "success-1@example.org", password }, ...more);
  await assert.rejects(reset("second-password"), failsWith("failed to reset password"));
  await assert.rejects(reset("first-password", "please"), failsWith("failed to reset password"));
  await reset("second-password", "please");
  await realm.logIn(Realm.Credentials.emailPassword("success-1@example.org", "second-password"));
});

test("an HTTPS endpoint runs a function", options, async () => {
  await addFunction("shop", `exports = function (request, response) {
    response.setStatusCode(201);
    response.setHeader("X-Shop", "open");
    response.setBody(request.body.text() + "/" + request.query.q + "/" + context.user.id);
    return { made: 1 };
  } // no semicolon at the end`);
  const endpoint = { route: "/shop/order", http_method: "POST", function_name: "shop", validation_method: "NO_VALIDATION" };
  const { _id } = await admin.call("POST", `${app.path}/endpoints`, { ...endpoint, respond_result: false });
  const caller = await user();
  const ask = () => fetch(`${daemon.baseUrl}/app/${app.id}/endpoint/shop/order?q=a%20b`,
    { method: "POST", body: "tea", headers: { Authorization: `Bearer ${caller.accessToken}` } });
  const told = await ask();
  assert.deepEqual([told.status, told.headers.get("x-shop"), await told.text()], [201, "open", `tea/a b/${caller.id}`]);
  await admin.call("PUT", `${app.path}/endpoints/${_id}`, { ...endpoint, respond_result: true });
  assert.deepEqual(await (await ask()).json(), { made: 1 });
});

test("an HTTPS endpoint runs what module.exports is, and tells it where the request comes from", options, async () => {
  await addFunction("place", "module.exports = (request, response) => { response.setBody(context.request.remoteIPAddress); };");
  await admin.call("POST", `${app.path}/endpoints`, { route: "/place", http_method: "GET", function_name: "place" });
  const caller = await user();
  const told = await fetch(`${daemon.baseUrl}/app/${app.id}/endpoint/place`, { headers: { Authorization: `Bearer ${caller.accessToken}` } });
  assert.deepEqual([told.status, await told.text()], [200, "127.0.0.1"]);
});

test("a function may be open to everybody or to nobody", options, async () => {
  await addFunction("open", "exports = () => 1;", { can_evaluate: true });
  await addFunction("shut", "exports = () => 1;", { can_evaluate: false });
  const caller = await user();
  assert.equal(await caller.functions.open(), 1);
  await assert.rejects(caller.functions.shut(), failsWith('rule not matched for function "shut"'));
});

test("an HTTPS endpoint sees the query and the headers as they came", options, async () => {
  await addFunction("shown", `exports = ({ query, headers, body }) => [JSON.stringify(query), headers["$undefined"], body === undefined]`);
  const endpoint = { route: "/shown", http_method: "GET", function_name: "shown", validation_method: "NO_VALIDATION", respond_result: true };
  await admin.call("POST", `${app.path}/endpoints`, endpoint);
  const { accessToken } = await user();
  for (const [query, expected] of [["$undefined=1", '{"$undefined":"1"}'], ["$oid=zz", '{"$oid":"zz"}'], ["$oid=507f1f77bcf86cd799439011", '{"$oid":"507f1f77bcf86cd799439011"}'],
    ["__proto__=1&a=%22", '{"__proto__":"1","a":"\\""}'], ["", "{}"]]) {
    const told = await fetch(`${daemon.baseUrl}/app/${app.id}/endpoint/shown?${query}`, { headers: { Authorization: `Bearer ${accessToken}`, $undefined: "1" } });
    assert.deepEqual([told.status, await told.json()], [200, [expected, ["1"], true]]);
  }
});

test("a function decides who becomes a user", options, async () => {
  const place = await admin.createApp("guarded");
  const { _id } = await admin.call("POST", `${place.path}/functions`, {
    name: "welcome", private: true,
    source: 'exports = (user) => { if (user.identities[0].provider_type === "anon-user") throw "members only"; };',
  });
  await admin.call("PATCH", `${place.path}/custom_user_data`, { enabled: false, on_user_creation_function_id: _id });
  const realm = new Realm.App({ id: place.id, baseUrl: daemon.baseUrl });
  await assert.rejects(realm.logIn(Realm.Credentials.anonymous(false)), failsWith("members only"));
  await realm.emailPasswordAuth.registerUser({ email: "m@example.org", password: "secret-password" });
  await realm.logIn(Realm.Credentials.emailPassword("m@example.org", "secret-password"));
  assert.equal((await admin.call("GET", `${place.path}/users`)).length, 1);
});
