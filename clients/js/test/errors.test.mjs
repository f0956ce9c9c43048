/** What the client throws: a class for each status, and for no answer at all. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import * as sdk from 'emotion-llama-sdk';

import { refuse, serve, serveSecurely } from './support.mjs';

const { EmotionLLaMA } = sdk;
const CLASSES = {
  400: sdk.BadRequestError,
  401: sdk.AuthenticationError,
  403: sdk.PermissionDeniedError,
  404: sdk.NotFoundError,
  413: sdk.PayloadTooLargeError,
  415: sdk.UnsupportedMediaTypeError,
  418: sdk.EmotionLLaMAError,
  429: sdk.RateLimitError,
  500: sdk.ServerError,
  502: sdk.ServerError,
  503: sdk.OverloadedError,
  504: sdk.GatewayTimeoutError,
};

/** What asking fails with. */
async function failure(options, asked = {}) {
  try {
    await new EmotionLLaMA({ maxRetries: 0, ...options }).analyze({ videoPath: 'x', ...asked });
  } catch (error) {
    return error;
  }
  return assert.fail('It does not fail.');
}

for (const [status, Class] of Object.entries(CLASSES)) {
  test(`status ${status} is ${Class.name}`, async (t) => {
    const told = { message: 'why', param: 'frame' };
    const apiUrl = await serve(t, (_, response) => refuse(response, Number(status), told));
    const error = await failure({ apiUrl });
    assert.equal(error.constructor, Class);
    assert.ok(error instanceof sdk.EmotionLLaMAError);
    assert.equal(error.name, Class.name);
    assert.equal(error.message, 'why');
    assert.equal(error.status, Number(status));
    assert.equal(error.requestId, 'r1');
    assert.equal(error.param, 'frame');
    assert.equal(error.code, Number(status));
  });
}

test('a refusal without a field and with a time', async (t) => {
  const headers = { 'Retry-After': '7' };
  const apiUrl = await serve(t, (_, response) => refuse(response, 503, {}, headers));
  const error = await failure({ apiUrl });
  assert.equal(error.param, undefined);
  assert.equal(error.retryAfter, 7);
});

for (const page of ['<html>bad gateway', '{"error": "bad gateway"}', 'null']) {
  test(`a proxy's page is an error of its status: ${page}`, async (t) => {
    const apiUrl = await serve(t, (_, response) => void response.writeHead(502).end(page));
    const error = await failure({ apiUrl });
    assert.equal(error.constructor, sdk.ServerError);
    assert.ok(error.message.includes(JSON.stringify(page)));
  });
}

test('no server', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const apiUrl = `http://127.0.0.1:${server.address().port}`;
  server.close();
  await once(server, 'close');
  const error = await failure({ apiUrl });
  assert.equal(error.constructor, sdk.ConnectionFailed);
  assert.match(
    error.message,
    /cannot be reached \(.*ECONNREFUSED.*\): start one with `emotion-llama/,
  );
  assert.equal(error.status, undefined);
});

test('a certificate that is not trusted is told with its cure', async (t) => {
  const { host, certificate } = await serveSecurely(t, (_, response) => response.end('{}'));
  const error = await failure({ apiUrl: `https://${host}` });
  assert.equal(error.constructor, sdk.ConnectionFailed);
  assert.match(error.message, /certificate of https:.* is not trusted .*NODE_EXTRA_CA_CERTS/);
  const code = `
    import { EmotionLLaMA } from 'emotion-llama-sdk';
    const client = new EmotionLLaMA({ apiUrl: 'https://${host}' });
    console.log(await client.models().catch((error) => error.name));
  `;
  const cwd = fileURLToPath(new URL('..', import.meta.url));
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: certificate };
  const run = promisify(execFile)('node', ['--input-type=module', '--eval', code], { cwd, env });
  assert.equal((await run).stdout, 'InvalidAnswer\n'); // the server has answered
});

test('HTTP to a server with TLS is told with its cure, and the other way round', async (t) => {
  const { host } = await serveSecurely(t, () => assert.fail('It is asked.'));
  const plain = await failure({ apiUrl: `http://${host}` });
  assert.equal(plain.constructor, sdk.ConnectionFailed);
  assert.match(plain.message, /closed the connection .*; if it speaks HTTPS, write https:\/\/\.$/);
  const apiUrl = await serve(t, () => assert.fail('It is asked.'));
  const secure = await failure({ apiUrl: apiUrl.replace('http:', 'https:') });
  assert.equal(secure.constructor, sdk.ConnectionFailed);
  assert.match(secure.message, /cannot be reached .*; if it speaks HTTP, write http:\/\/\.$/);
});

test('a silent server is given up, and not asked again', async (t) => {
  let sent = 0;
  const apiUrl = await serve(t, () => {
    sent += 1;
  });
  const error = await failure({ apiUrl, timeout: 0.1, maxRetries: 2 });
  assert.equal(error.constructor, sdk.RequestTimeout);
  assert.equal(sent, 1);
});

test('a server that falls silent amid its answer is given up', async (t) => {
  const apiUrl = await serve(t, (_, response) => void response.write('{"emo'));
  const error = await failure({ apiUrl, timeout: 0.1 });
  assert.equal(error.constructor, sdk.RequestTimeout);
});

test('an endless timeout is none', async (t) => {
  const apiUrl = await serve(t, (_, response) => refuse(response, 400));
  const error = await failure({ apiUrl, timeout: Infinity });
  assert.equal(error.constructor, sdk.BadRequestError);
});

test('a signal gives the request up, and its reason is thrown', async (t) => {
  const controller = new AbortController();
  const reason = new Error('enough');
  const apiUrl = await serve(t, () => controller.abort(reason));
  assert.equal(await failure({ apiUrl }, { signal: controller.signal }), reason);
});

test('a signal gives a request up before it is sent', async (t) => {
  const apiUrl = await serve(t, () => assert.fail('It is sent.'));
  const error = await failure({ apiUrl }, { signal: AbortSignal.abort() });
  assert.equal(error.name, 'AbortError');
});

test('a signal ends the pause before another attempt', async (t) => {
  const controller = new AbortController();
  const apiUrl = await serve(t, (_, response) => {
    refuse(response, 503, {}, { 'Retry-After': '60' });
    setTimeout(() => controller.abort(), 50);
  });
  const error = await failure({ apiUrl, maxRetries: 2 }, { signal: controller.signal });
  assert.equal(error.name, 'AbortError');
});

test('no server is one sentence with its address and what to start', async () => {
  const gone = createServer().listen(0, '127.0.0.1');
  await once(gone, 'listening');
  const { port } = gone.address();
  gone.close();
  for (const host of ['localhost', '127.0.0.1']) {
    const error = await failure({ apiUrl: `${host}:${port}/v1` });
    assert.ok(error instanceof sdk.ConnectionFailed);
    const start = `The server at http://${host}:${port} cannot be reached (`;
    assert.equal(error.message.slice(0, start.length), start);
    assert.match(error.message, /ECONNREFUSED.*: start one with `emotion-llama serve`, or give/);
  }
});
