// Third-party OIDC provider: the certified oidc-provider with its own pages. The environment has its
// package, its port and the portal's URL. It reports on stdout when it is ready.
const { PACKAGE, PORT, PORTAL, AUDIENCE } = process.env;
const { default: Provider } = await import(PACKAGE);

const PEOPLE = {
  e101: { name: "山田 太郎", dealer: "D01", store: "S10", staff_code: "E101", roles: ["sales"] },
  short: { name: "佐藤 和子", dealer: "D01", store: "S10", staff_code: "M100", roles: ["manager"] },
};

const provider = new Provider(`http://127.0.0.1:${PORT}`, {
  clients: [
    {
      client_id: "madoguchi-portal",
      token_endpoint_auth_method: "none",
      redirect_uris: [`${PORTAL}/auth/callback`],
      post_logout_redirect_uris: [`${PORTAL}/auth/signed-out`],
    },
  ],
  cookies: { keys: ["for the tests alone"] },
  pkce: { required: () => true },
  ttl: { AccessToken: (_ctx, token) => (token.accountId === "short" ? 3 : 600) },
  findAccount: (_ctx, id) =>
    PEOPLE[id] && { accountId: id, claims: () => ({ sub: id, name: PEOPLE[id].name }) },
  extraTokenClaims: (_ctx, token) => PEOPLE[token.accountId],
  features: {
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: () => ({
        scope: "openid profile email",
        audience: AUDIENCE,
        accessTokenFormat: "jwt",
      }),
      useGrantedResource: () => true,
    },
  },
});
provider.listen(Number(PORT), "127.0.0.1", () => console.log("listening"));
