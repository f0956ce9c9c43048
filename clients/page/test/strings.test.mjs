/** The words of the page: the same in both languages, none empty, none missing, none left over. */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { en } from '../strings/en.js';
import { zh } from '../strings/zh.js';

const PAGE = fileURLToPath(new URL('..', import.meta.url));
const ELSEWHERE = ['node_modules', 'strings', 'test', 'vendor'];

/** The sources that use words. */
const code = readdirSync(PAGE, { recursive: true })
  .filter((name) => name.endsWith('.js') && !ELSEWHERE.includes(name.split('/')[0]))
  .map((name) => readFileSync(join(PAGE, name), 'utf-8'))
  .join('\n');
const mentioned = new Set(code.match(/\w+/g));

/** Keys that are put together, as t[`nav_${route}`], each as a pattern. */
const patterns = Array.from(code.matchAll(/\bt\[`([^`]+)`\]/g), ([, template]) => {
  return new RegExp(`^${template.replace(/\$\{[^}]*\}/g, '\\w+')}$`);
});

/** The names of what a text is given, in a fixed order. */
function argumentsOf(value) {
  const source = String(value).replace(/\/\*.*?\*\//gs, '');
  const given = /^\(?\s*\{([^}]*)\}/.exec(source)?.[1] ?? '';
  return (given.match(/\w+/g) ?? []).sort();
}

test('both languages say the same things', () => {
  assert.deepEqual(Object.keys(zh).sort(), Object.keys(en).sort());
});

test('each text is given the same in both languages', () => {
  for (const [key, value] of Object.entries(en)) {
    assert.equal(typeof zh[key], typeof value, key);
    if (typeof value === 'function') {
      assert.deepEqual(argumentsOf(zh[key]), argumentsOf(value), key);
    }
  }
});

test('no text is empty', () => {
  for (const [key, value] of [...Object.entries(en), ...Object.entries(zh)]) {
    assert.ok(typeof value === 'function' || value.trim(), key);
  }
});

test('each text is used', () => {
  assert.deepEqual(
    Object.keys(en).filter(
      (key) => !mentioned.has(key) && !patterns.some((pattern) => pattern.test(key)),
    ),
    [],
  );
});
