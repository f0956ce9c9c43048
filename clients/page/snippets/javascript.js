/** Writes a request as a JavaScript program for Node from version 20 on. */

/**
 * @param {import('./request.js').Request} request
 */
export function asJavaScript({ url, file, sample, fields, needsKey }) {
  const key = `Authorization: \`Bearer \${process.env.EMOTION_LLAMA_API_KEY}\``;
  const upload = [
    'const body = new FormData();',
    "body.append('request', JSON.stringify(request));",
    `body.append('video', ${clip(file, sample)});`,
    `const init = { method: 'POST', ${needsKey ? `headers: { ${key} }, ` : ''}body };`,
  ];
  const headers = ["'Content-Type': 'application/json'", ...(needsKey ? [key] : [])].join(', ');
  const named = [
    `const headers = { ${headers} };`,
    "const init = { method: 'POST', headers, body: JSON.stringify(request) };",
  ];
  return [
    ...(file && !sample ? ["import { openAsBlob } from 'node:fs';", ''] : []),
    `const request = ${JSON.stringify(fields, null, 2)};`,
    ...(file ? upload : named),
    `const response = await fetch(${JSON.stringify(url)}, init);`,
    'const answer = await response.json();',
    'if (!response.ok) throw new Error(answer.error.message);',
    'console.log(answer.emotion, answer.confidence);',
    '',
  ].join('\n');
}

/**
 * @param {string} file
 * @param {string} sample
 */
function clip(file, sample) {
  return sample
    ? `await (await fetch(${JSON.stringify(sample)})).blob()`
    : `await openAsBlob(${JSON.stringify(file)})`;
}
