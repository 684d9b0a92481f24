// A relying party with openid-client, as its own documentation shows it. Asked one thing per line, answers one line each.
import * as client from "openid-client";
import { createInterface } from "node:readline";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const next = async () => (await lines.next()).value;
const say = (value) => process.stdout.write(JSON.stringify(value) + "\n");

const { issuer, id, secret, callback, after } = JSON.parse(await next());
const config = await client.discovery(new URL(issuer), id, undefined, client.ClientSecretBasic(secret));

const verifier = client.randomPKCECodeVerifier();
const state = client.randomState();
const nonce = client.randomNonce();
say(client.buildAuthorizationUrl(config, {
  redirect_uri: callback,
  scope: "openid profile email offline_access",
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  state,
  nonce,
}).href);

const landed = new URL(await next());
const tokens = await client.authorizationCodeGrant(config, landed, {
  pkceCodeVerifier: verifier,
  expectedState: state,
  expectedNonce: nonce,
  idTokenExpected: true,
});
const sub = tokens.claims().sub;
const renewed = await client.refreshTokenGrant(config, tokens.refresh_token);
const person = await client.fetchUserInfo(config, renewed.access_token, sub);
const known = await client.tokenIntrospection(config, renewed.access_token);
say({ sub, username: person.preferred_username, renewed: renewed.access_token !== tokens.access_token, active: known.active });

const waiting = await client.initiateDeviceAuthorization(config, { scope: "openid profile" });
say(waiting.verification_uri_complete);
const device = await client.pollDeviceAuthorizationGrant(config, waiting);
say((await client.fetchUserInfo(config, device.access_token, client.skipSubjectCheck)).preferred_username);

say(client.buildEndSessionUrl(config, {
  id_token_hint: tokens.id_token,
  post_logout_redirect_uri: after,
  state: "bye",
}).href);
await client.tokenRevocation(config, renewed.refresh_token);
say((await client.tokenIntrospection(config, renewed.access_token)).active);
process.exit(0);
