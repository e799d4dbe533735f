// SPDX-License-Identifier: Apache-2.0
// What an app written for the hosted service does with its functions through npm realm-web. Plain script: runs unchanged in
// Node.js and in a page. Each journey gets the library and an environment {baseUrl, appId, expireSeconds, unique}.
(function (scope) {
  "use strict";

  const { check, same, failure, pause } = scope.journeyTools;
  const open = (Realm, env) => new Realm.App({ id: env.appId, baseUrl: env.baseUrl });
  const anonymous = (Realm, env) => open(Realm, env).logIn(Realm.Credentials.anonymous(false));

  scope.functionJourneys = {
    async "user.functions.x() and user.callFunction"(Realm, env) {
      const user = await anonymous(Realm, env);
      same(await user.functions.sum(1, 2), 3, "sum");
      same(await user.callFunction("sum", 40, 2), 42, "the same by name");
      same(await user.functions.echo({ text: "ä€", list: [1, true, null], day: new Date(5) }),
        { text: "ä€", list: [1, true, null], day: "1970-01-01T00:00:00.005Z" }, "an object there and back");
      same(await user.functions.nothing(), null, "a function without a result");
    },

    async "context.user is the caller"(Realm, env) {
      const app = open(Realm, env);
      const email = `${env.unique}-f@example.com`;
      await app.emailPasswordAuth.registerUser({ email, password: "secret-password" });
      const user = await app.logIn(Realm.Credentials.emailPassword(email, "secret-password"));
      const me = await user.functions.whoAmI();
      same(me.id, user.id, "id");
      same(me.email, email, "e-mail");
      same(me.environment, "testing", "environment");
      same(me.greeting, "hello", "value");
      same(me.key, "the key of the door", "value from a secret");
      same(me.method, "POST", "method of the request");
    },

    async "a function calls another"(Realm, env) {
      const user = await anonymous(Realm, env);
      same(await user.functions.twice(21), 42, "result");
    },

    async "thrown errors reach the caller"(Realm, env) {
      const user = await anonymous(Realm, env);
      const thrown = await failure(user.functions.fails("no luck"), "a function that throws");
      same([thrown.statusCode, thrown.errorCode, thrown.error], [400, "FunctionExecutionError", "no luck"], "refusal");
      check(thrown.link.includes("/logs?co_id="), "the error has a link");
      const unknown = await failure(user.functions.undefinedName(), "a name that is not defined");
      check(unknown.error.includes("'unknown' is not defined"), `text: ${unknown.error}`);
    },

    async "private and unknown functions are not found"(Realm, env) {
      const user = await anonymous(Realm, env);
      for (const name of ["secretSum", "missing"]) {
        const error = await failure(user.callFunction(name), name);
        same([error.statusCode, error.errorCode, error.error],
          [404, "FunctionNotFound", `function not found: '${name}'`], "refusal");
      }
    },

    async "can_evaluate decides who may call"(Realm, env) {
      const user = await anonymous(Realm, env);
      const error = await failure(user.functions.onlyForAda(), "a function for others");
      same([error.errorCode, error.error],
        ["FunctionExecutionError", 'rule not matched for function "onlyForAda"'], "refusal");
    },

    async "a call after the access token has expired"(Realm, env) {
      const user = await anonymous(Realm, env);
      const first = user.accessToken;
      await pause(env.expireSeconds);
      same(await user.functions.sum(2, 2), 4, "sum");
      check(user.accessToken !== first, "another access token is held");
    },

    async "custom-function log-in: the same id is the same user"(Realm, env) {
      const name = `${env.unique}-member`;
      const first = await open(Realm, env).logIn(Realm.Credentials.function({ name, code: 7 }));
      same(first.profile.name, name, "name in the profile");
      same(first.identities[0].providerType, "custom-function", "provider type");
      const again = await open(Realm, env).logIn(Realm.Credentials.function({ name, code: 7 }));
      same(again.id, first.id, "user id");
      const other = await failure(open(Realm, env).logIn(Realm.Credentials.function({ name, code: 8 })), "a wrong code");
      same([other.statusCode, other.errorCode, other.error], [401, "AuthError", "Authentication failed"], "refusal");
    },
  };
})(globalThis);
