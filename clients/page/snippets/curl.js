/** Writes a request as a command line with curl. */

/**
 * @param {import('./request.js').Request} request
 */
export function asCurl({ url, file, sample, fields, needsKey }) {
  const json = JSON.stringify(fields);
  // `-F` would take a semicolon in the JSON for the start of a parameter.
  const body = file
    ? [`--form-string ${quoted(`request=${json}`)}`, `-F ${quoted(`video=@${filePart(file)}`)}`]
    : [`-H 'Content-Type: application/json'`, `-d ${quoted(json)}`];
  const key = needsKey ? [`-H "Authorization: Bearer $EMOTION_LLAMA_API_KEY"`] : [];
  const fetched = sample ? `curl -sS -o ${quoted(file)} ${quoted(sample)}\n` : '';
  return `${fetched}${[`curl -sS ${quoted(url)}`, ...key, ...body].join(' \\\n  ')}\n`;
}

/** @param {string} text */
function quoted(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/**
 * A name between quotes may have commas and semicolons.
 *
 * @param {string} name
 */
function filePart(name) {
  return `"${name.replace(/[\\"]/g, '\\$&')}"`;
}
