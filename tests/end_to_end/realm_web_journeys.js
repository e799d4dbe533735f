// SPDX-License-Identifier: Apache-2.0
// What an app written for the hosted service does with npm realm-web. Plain script: runs unchanged in Node.js and in a page.
// Each journey gets the library and an environment {baseUrl, appId, jwt, otherJwt, serverKey, expireSeconds, unique}.
(function (scope) {
  "use strict";

  const { check, same, failure, pause } = scope.journeyTools;
  const claims = (token) => JSON.parse(atob(token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/")));
  const open = (Realm, env) => new Realm.App({ id: env.appId, baseUrl: env.baseUrl });
  const registered = async (app, Realm, email) => {
    await app.emailPasswordAuth.registerUser({ email, password: "secret-password" });
    return Realm.Credentials.emailPassword(email, "secret-password");
  };

  scope.journeys = {
    async "anonymous: log in, profile, tokens"(Realm, env) {
      const app = open(Realm, env);
      const user = await app.logIn(Realm.Credentials.anonymous(false));
      check(user.isLoggedIn, "user is logged in");
      same(user.state, "active", "state");
      same(user.identities.length, 1, "identities");
      same(user.identities[0].providerType, "anon-user", "provider type");
      same(user.identities[0].id.length, 49, "length of the identity id");
      same(claims(user.accessToken).sub, user.id, "subject of the access token");
      same(claims(user.accessToken).typ, "access", "type of the access token");
      same(claims(user.refreshToken).typ, "refresh", "type of the refresh token");
      check(/^[0-9a-f]{24}$/.test(user.deviceId), "device id is an ObjectId");
    },

    async "expired access token: the client refreshes itself"(Realm, env) {
      const app = open(Realm, env);
      const user = await app.logIn(Realm.Credentials.anonymous(false));
      const first = user.accessToken;
      await pause(env.expireSeconds);
      await user.refreshProfile();
      check(user.accessToken !== first, "another access token is held");
      check(user.isLoggedIn, "user is still logged in");
    },

    async "refresh on demand"(Realm, env) {
      const app = open(Realm, env);
      const user = await app.logIn(Realm.Credentials.anonymous(false));
      const before = claims(user.accessToken);
      await pause(1.1);
      await user.refreshCustomData();
      check(claims(user.accessToken).iat > before.iat, "the new token was issued later");
      same(claims(user.accessToken).iss, before.iss, "session");
    },

    async "e-mail and password: register, log in, wrong password"(Realm, env) {
      const app = open(Realm, env);
      const email = `${env.unique}-a@example.com`;
      const credentials = await registered(app, Realm, email);
      const user = await app.logIn(credentials);
      same(user.profile.email, email, "e-mail in the profile");
      const wrong = await failure(app.logIn(Realm.Credentials.emailPassword(email, "wrong-password")), "a wrong password");
      same(wrong.statusCode, 401, "status");
      same(wrong.errorCode, "InvalidPassword", "code");
      same(wrong.error, "unauthorized", "text");
      const again = await failure(app.emailPasswordAuth.registerUser({ email, password: "secret-password" }), "a second registration");
      same(again.errorCode, "AccountNameInUse", "code");
      const short = await failure(app.emailPasswordAuth.registerUser({ email: "b" + email, password: "12345" }), "a short password");
      check(short.error.includes("password must be between 6 and 128 characters"), "text on the password's length");
    },

    async "custom JWT: the same subject is the same user"(Realm, env) {
      const app = open(Realm, env);
      const user = await app.logIn(Realm.Credentials.jwt(env.jwt));
      same(user.profile.name, "Ada", "name from the token's metadata");
      same(user.identities[0].providerType, "custom-token", "provider type");
      const second = await open(Realm, env).logIn(Realm.Credentials.jwt(env.jwt));
      same(second.id, user.id, "user id");
      const forged = await failure(app.logIn(Realm.Credentials.jwt(env.forgedJwt)), "a forged JWT");
      same(forged.statusCode, 401, "status");
      same(forged.error, "unauthorized", "text");
    },

    async "API keys: make, list, log in, disable, enable, delete"(Realm, env) {
      const app = open(Realm, env);
      const user = await app.logIn(await registered(app, Realm, `${env.unique}-k@example.com`));
      const key = await user.apiKeys.create("my-key");
      same(key.key.length, 64, "length of the key");
      const listed = await user.apiKeys.fetchAll();
      same(listed.length, 1, "number of keys");
      same(listed[0].key, undefined, "key in the list");
      same((await user.apiKeys.fetch(key._id)).name, "my-key", "name");
      same((await open(Realm, env).logIn(Realm.Credentials.apiKey(key.key))).id, user.id, "user id of the key's log-in");
      await user.apiKeys.disable(key._id);
      const refused = await failure(open(Realm, env).logIn(Realm.Credentials.apiKey(key.key)), "log-in with a disabled key");
      same(refused.errorCode, "AuthError", "code");
      await user.apiKeys.enable(key._id);
      await open(Realm, env).logIn(Realm.Credentials.apiKey(key.key));
      await user.apiKeys.delete(key._id);
      const gone = await failure(user.apiKeys.fetch(key._id), "a deleted key");
      same(gone.statusCode, 404, "status");
      same(gone.error, "API key not found", "text");
    },

    async "server key: its own user of type server"(Realm, env) {
      const user = await open(Realm, env).logIn(Realm.Credentials.apiKey(env.serverKey));
      same(user.identities[0].providerType, "api-key", "provider type");
    },

    async "link: an anonymous user becomes permanent"(Realm, env) {
      const app = open(Realm, env);
      const user = await app.logIn(Realm.Credentials.anonymous(false));
      const credentials = await registered(app, Realm, `${env.unique}-l@example.com`);
      await user.linkCredentials(credentials);
      same(user.identities.length, 2, "identities");
      same(user.identities[1].providerType, "local-userpass", "the new one is second");
      same((await open(Realm, env).logIn(credentials)).id, user.id, "user id of a later log-in");
      const other = await app.logIn(Realm.Credentials.anonymous(false));
      const taken = await failure(other.linkCredentials(credentials), "linking an identity of somebody else");
      same(taken.statusCode, 401, "status");
      check(taken.error.includes("unauthorized"), "text");
      check(other.isLoggedIn, "the user who failed to link is still logged in");
    },

    async "several users: switch and remove"(Realm, env) {
      const app = open(Realm, env);
      const one = await app.logIn(Realm.Credentials.anonymous(false));
      const two = await app.logIn(await registered(app, Realm, `${env.unique}-s@example.com`));
      same(app.currentUser.id, two.id, "current user after log-in");
      app.switchUser(one);
      same(app.currentUser.id, one.id, "current user after the switch");
      await app.removeUser(one);
      same(app.currentUser.id, two.id, "current user after the removal");
      check(!(one.id in app.allUsers) && two.id in app.allUsers, "only the other user is left in the list");
    },

    async "log out: nothing of the session is left"(Realm, env) {
      const app = open(Realm, env);
      const user = await app.logIn(await registered(app, Realm, `${env.unique}-o@example.com`));
      const refresh = user.refreshToken;
      const access = user.accessToken;
      await user.logOut();
      same(user.state, "logged-out", "state");
      same(user.accessToken, null, "access token");
      const again = await fetch(`${env.baseUrl}/api/client/v2.0/auth/session`, { method: "POST", headers: { Authorization: `Bearer ${refresh}` } });
      same(again.status, 401, "status of a refresh after log-out");
      const body = await again.json();
      same(body.error_code, "InvalidSession", "code");
      same(body.reason, "logged_out", "reason");
      const used = await fetch(`${env.baseUrl}/api/client/v2.0/auth/profile`, { headers: { Authorization: `Bearer ${access}` } });
      same(used.status, 401, "status of the access token after log-out");
    },

    async "delete: the account is gone, the address is free"(Realm, env) {
      const app = open(Realm, env);
      const email = `${env.unique}-d@example.com`;
      const credentials = await registered(app, Realm, email);
      const user = await app.logIn(credentials);
      await app.deleteUser(user);
      const refused = await failure(app.logIn(credentials), "log-in after the deletion");
      same(refused.errorCode, "InvalidPassword", "code");
      await app.emailPasswordAuth.registerUser({ email, password: "secret-password" });
    },

    async "unknown app: the documented answer"(Realm, env) {
      const app = new Realm.App({ id: "no-such-app", baseUrl: env.baseUrl });
      const error = await failure(app.logIn(Realm.Credentials.anonymous(false)), "an unknown app");
      same(error.statusCode, 404, "status");
      same(error.error, "cannot find app using Client App ID 'no-such-app'", "text");
    },
  };
})(globalThis);
