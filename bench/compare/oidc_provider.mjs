// SPDX-License-Identifier: Apache-2.0
// npm oidc-provider as a rival: its refresh_token grant with ES256 access tokens, everything in memory, no rotation.
// Usage: node oidc_provider.mjs SESSIONS TOKENS_FILE PORT_FILE
// Writes the refresh tokens, one a line, then the port; serves until it is ended.
import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import Provider from "oidc-provider";

const [sessions, tokensFile, portFile] = process.argv.slice(2);
const resource = "urn:bench";
const clientId = "bench";

// The built-in adapter forgets after 1,000 entries; this one keeps what it is given.
class MemoryAdapter {
  static stores = new Map();

  constructor(name) {
    if (!MemoryAdapter.stores.has(name)) MemoryAdapter.stores.set(name, new Map());
    this.store = MemoryAdapter.stores.get(name);
  }
  async upsert(id, payload) { this.store.set(id, payload); }
  async find(id) { return this.store.get(id); }
  async findByUid(uid) { return [...this.store.values()].find((each) => each.uid === uid); }
  async findByUserCode() { return undefined; }
  async consume(id) { this.store.get(id).consumed = Math.floor(Date.now() / 1000); }
  async destroy(id) { this.store.delete(id); }
  async revokeByGrantId() {}
}

const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const provider = new Provider("http://127.0.0.1", {
  adapter: MemoryAdapter,
  jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), alg: "ES256", use: "sig", kid: "bench" }] },
  clients: [{
    client_id: clientId, token_endpoint_auth_method: "none", grant_types: ["authorization_code", "refresh_token"],
    redirect_uris: ["http://127.0.0.1/callback"], id_token_signed_response_alg: "ES256",
  }],
  scopes: ["api", "offline_access"],
  rotateRefreshToken: false,
  ttl: { AccessToken: 1800, Grant: 5_184_000, RefreshToken: 5_184_000 },
  findAccount: (context, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
  features: {
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: () => ({ scope: "api", audience: resource, accessTokenFormat: "jwt", accessTokenTTL: 1800, jwt: { sign: { alg: "ES256" } } }),
    },
  },
});

const client = await provider.Client.find(clientId);
const tokens = [];
for (let i = 0; i < Number(sessions); i += 1) {
  const grant = new provider.Grant({ accountId: `user-${i}`, clientId });
  grant.addOIDCScope("offline_access");
  grant.addResourceScope(resource, "api");
  const grantId = await grant.save();
  const token = new provider.RefreshToken({
    accountId: `user-${i}`, client, grantId, gty: "authorization_code", scope: "offline_access api", resource, rotations: 0,
    iiat: Math.floor(Date.now() / 1000), authTime: Math.floor(Date.now() / 1000), expiresWithSession: false,
  });
  tokens.push(await token.save());
}
writeFileSync(tokensFile, `${tokens.join("\n")}\n`, { mode: 0o600 });
const server = provider.listen(0, "127.0.0.1", () => writeFileSync(portFile, String(server.address().port)));
process.on("SIGTERM", () => process.exit(0));
