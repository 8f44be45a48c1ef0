// A real OpenID provider for the tests: npm's `oidc-provider`, over TLS, with a client that gets tokens and two
// that ask about them. `POST /rotate` puts a new signing key before the old ones, `POST /drop` leaves only the newest.
//
// node provider.mjs PORT FOLDER MODULES: in the folder are `server.pem`, `server.key` and `clients.json` (the keys of the
// clients); MODULES is the folder in which npm installed the library.

import { createServer } from 'node:https';
import { randomUUID, webcrypto } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [port, folder, modules] = process.argv.slice(2);
const entry = createRequire(`${modules}/`).resolve('oidc-provider');
const { default: Provider } = await import(pathToFileURL(entry));

const issuer = `https://localhost:${port}`;
const keysOf = JSON.parse(readFileSync(`${folder}/clients.json`));

// Not `generateKeyPairSync`: Node 20 stands still in it for good, once in some twenty starts.
async function freshKey() {
  const made = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign']);
  const { kty, crv, x, y, d } = await webcrypto.subtle.exportKey('jwk', made.privateKey);
  return { kty, crv, x, y, d, kid: randomUUID(), alg: 'ES256', use: 'sig' };
}

const byKey = (name, grants) => ({
  client_id: name,
  grant_types: grants,
  response_types: [],
  redirect_uris: [],
  token_endpoint_auth_method: 'private_key_jwt',
  token_endpoint_auth_signing_alg: 'ES256',
  jwks: { keys: [keysOf[name]] },
});

function providerWith(keys) {
  const provider = new Provider(issuer, {
    jwks: { keys },
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    clients: [
      byKey('batch', ['client_credentials']),
      byKey('edgeward-key', ['client_credentials']),
      {
        client_id: 'edgeward',
        client_secret: 'a secret: of %C3%A9dgeward+',
        grant_types: ['client_credentials'],
        response_types: [],
        redirect_uris: [],
      },
    ],
    enabledJWA: { requestObjectSigningAlgValues: ['ES256'], clientAuthSigningAlgValues: ['ES256'] },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      revocation: { enabled: true },
      introspection: {
        enabled: true,
        allowedPolicy: (_ctx, client) => client.clientId.startsWith('edgeward'),
      },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_ctx, resource) => ({
          audience: new URL(resource).origin,
          scope: 'read write',
          accessTokenTTL: 300,
          accessTokenFormat: resource.endsWith('/jwt') ? 'jwt' : 'opaque',
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
  });
  return provider.callback();
}

let keys = [await freshKey()];
let answer = providerWith(keys);

const tls = { cert: readFileSync(`${folder}/server.pem`), key: readFileSync(`${folder}/server.key`) };
createServer(tls, async (request, response) => {
  if (request.method === 'POST' && ['/rotate', '/drop'].includes(request.url)) {
    keys = request.url === '/rotate' ? [await freshKey(), ...keys] : keys.slice(0, 1);
    answer = providerWith(keys);
    response.end();
    return;
  }
  answer(request, response);
}).listen(Number(port), '127.0.0.1', () => console.log('ready'));
