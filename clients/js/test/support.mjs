/** A server made of a function, and what it may answer. */

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export const ANSWER = {
  id: 'emotion-1',
  model: 'demo',
  emotion: 'happy',
  confidence: 0.9,
  probabilities: { happy: 0.9, sad: 0.1 },
  answer: 'happy',
  answer_matches: true,
  explanation: 'The corners of the mouth are up.',
  timeline: null,
  evidence: {
    frame_index: 0,
    frame_time: 0,
    frame_policy: 'first',
    audio_seconds: 2.5,
    has_audio: true,
    features: [],
    checkpoint: 'demo',
    manifest: null,
    prompt: '',
  },
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
  timing: { fetch: 0, decode: 0, queue: null, first_token: null, total: 0 },
  notice: '',
};

/**
 * Listen until the test is over.
 *
 * @param handler - Given the request, whose `body` has been read, and the response; what it returns
 *   is sent as JSON.
 * @returns The address.
 */
export async function serve(t, handler) {
  const server = createServer(async (request, response) => {
    const pieces = [];
    for await (const piece of request) {
      pieces.push(piece);
    }
    request.body = Buffer.concat(pieces);
    const answer = await handler(request, response);
    if (answer !== undefined) {
      response.setHeader('Content-Type', 'application/json').end(JSON.stringify(answer));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${server.address().port}`;
}

/**
 * Listen with TLS until the test is over, as the server does with a certificate of its own.
 *
 * @returns The host with its port, and the certificate's file.
 */
export async function serveSecurely(t, handler) {
  const folder = await mkdtemp(join(tmpdir(), 'certificate-'));
  t.after(() => rm(folder, { recursive: true }));
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const files = ['-keyout', key, '-out', certificate];
  await promisify(execFile)('openssl', ['req', '-x509', ...kind, ...names, ...files]);
  const pair = { key: await readFile(key), cert: await readFile(certificate) };
  const server = createSecureServer(pair, handler).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { host: `127.0.0.1:${server.address().port}`, certificate };
}

/** Send a refusal, as the server does. */
export function refuse(response, status, more = {}, headers = {}) {
  const error = { message: 'no', type: 'x', param: null, code: status, ...more };
  response.writeHead(status, { 'X-Request-Id': 'r1', ...headers });
  response.end(JSON.stringify({ error }));
}

/** The parts of a multipart request. */
export function formOf(request) {
  const headers = { 'Content-Type': request.headers['content-type'] };
  return new Response(request.body, { headers }).formData();
}

/** All that an async iterator yields. */
export async function all(items) {
  const found = [];
  for await (const item of items) {
    found.push(item);
  }
  return found;
}
