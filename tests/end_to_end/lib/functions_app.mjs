// SPDX-License-Identifier: Apache-2.0
// The app that functions_journeys.js wants: its functions, values and the provider that a function serves.
const sources = {
  sum: "exports = (a, b) => a + b;",
  echo: "exports = async (value) => value;",
  nothing: "exports = function () {};",
  twice: 'exports = async (n) => await context.functions.execute("secretSum", n, n);',
  fails: "exports = (text) => { throw text; };",
  undefinedName: "exports = () => unknown + 1;",
  whoAmI: `exports = () => ({
    id: context.user.id, email: context.user.data.email, environment: context.environment.tag,
    greeting: context.values.get("greeting"), key: context.values.get("doorKey"), method: context.request.httpMethod,
  });`,
  noise: 'exports = () => { console.log("one"); console.error("two"); return 1; };',
};

export const privateSources = {
  secretSum: "exports = (a, b) => a + b;",
  logIn: `exports = ({ name, code }) => {
    if (code !== 7) throw "Authentication failed";
    return { id: name, name };
  };`,
};

export async function addFunctions(admin, app) {
  const add = (name, source, more = {}) => admin.call("POST", `${app.path}/functions`, { name, source, ...more });
  for (const [name, source] of Object.entries(sources)) await add(name, source);
  for (const [name, source] of Object.entries(privateSources)) await add(name, source, { private: true });
  await add("onlyForAda", "exports = () => 1;", { can_evaluate: { "%%user.data.email": { "%in": ["ada@example.org"] } } });
  await admin.call("POST", `${app.path}/secrets`, { name: "door", value: "the key of the door" });
  await admin.call("POST", `${app.path}/values`, { name: "greeting", value: "hello" });
  await admin.call("POST", `${app.path}/values`, { name: "doorKey", value: "door", from_secret: true });
  await admin.call("PUT", `${app.path}/environment`, { environment: "testing" });
  await admin.call("POST", `${app.path}/auth_providers`, { type: "custom-function", config: { authFunctionName: "logIn" } });
}
