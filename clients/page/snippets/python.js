/** Writes a request as a Python program with `requests`. */

/**
 * @param {import('./request.js').Request} request
 */
export function asPython({ url, file, sample, fields, needsKey }) {
  const headers = needsKey
    ? [`headers = {"Authorization": f"Bearer {os.environ['EMOTION_LLAMA_API_KEY']}"}`]
    : [];
  const withHeaders = needsKey ? ', headers=headers' : '';
  const send = file
    ? [
        `video = ${sample ? `requests.get(${literal(sample)}).content` : `open(${literal(file)}, "rb")`}`,
        `files = {"request": (None, json.dumps(request)), "video": video}`,
        `response = requests.post(${literal(url)}, files=files${withHeaders})`,
      ]
    : [`response = requests.post(${literal(url)}, json=request${withHeaders})`];
  return [
    ...(file ? ['import json'] : []),
    ...(needsKey ? ['import os'] : []),
    ...(file || needsKey ? [''] : []),
    'import requests',
    '',
    `request = ${literal(fields)}`,
    ...headers,
    ...send,
    'response.raise_for_status()',
    'answer = response.json()',
    'print(answer["emotion"], answer["confidence"])',
    '',
  ].join('\n');
}

/**
 * Return a value as Python writes it.
 *
 * @param {unknown} value of JSON
 * @returns {string}
 */
function literal(value) {
  if (Array.isArray(value)) {
    return `[${value.map(literal).join(', ')}]`;
  }
  if (typeof value === 'object' && value !== null) {
    const items = Object.entries(value).map(([name, item]) => `${literal(name)}: ${literal(item)}`);
    return `{${items.join(', ')}}`;
  }
  if (typeof value === 'boolean') {
    return value ? 'True' : 'False';
  }
  // JSON's escapes are Python's, but for pairs of surrogates, which JSON.stringify leaves as text.
  return JSON.stringify(value);
}
