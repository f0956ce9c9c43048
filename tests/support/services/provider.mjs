// Runs oidc-provider, a certified OpenID provider, from the packages in the working directory.
// Its arguments are the port, the audience, the scope and the keys as JSON.

import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const found = createRequire(`${process.cwd()}/`).resolve('oidc-provider');
const { default: Provider } = await import(pathToFileURL(found));
const [port, audience, scope, keys] = process.argv.slice(2);
const secret = { client_secret: 'secret', redirect_uris: [], response_types: [] };
const grants = { ...secret, grant_types: ['client_credentials'] };
const resource = {
  audience,
  scope,
  accessTokenFormat: 'jwt',
  accessTokenTTL: 60,
  jwt: { sign: { alg: 'RS256' } },
};
const provider = new Provider(`http://127.0.0.1:${port}`, {
  jwks: { keys: JSON.parse(keys) },
  clients: ['robot', 'other'].map((name) => ({ ...grants, client_id: name })),
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_, indicator) => ({ ...resource, audience: indicator }),
    },
  },
});
provider.listen(Number(port), '127.0.0.1', () => console.log('ready'));
