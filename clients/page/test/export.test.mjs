/** Tests what exported files say; that they equal the server's is tested with a server. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { asJsonLines, batchCsv } from '../export/batch.js';
import { csvText, timelineCsv } from '../export/csv.js';
import { asJson } from '../export/json.js';
import { fileName } from '../export/save.js';
import { asSrt } from '../export/srt.js';
import { clock, fixed } from '../export/text.js';
import { asVtt } from '../export/vtt.js';

const windows = [
  { start: 0, end: 1, emotion: 'happy', confidence: 0.9, probabilities: { happy: 0.9, sad: 0.1 } },
  {
    start: 3599.5,
    end: 3600.25,
    emotion: 'a <b> & c',
    confidence: 0.125,
    probabilities: { happy: 0, sad: 0.125 },
  },
];

test('numbers are rounded as the server rounds them', () => {
  assert.equal(fixed(0.0078125, 6), '0.007812'); // 7812.5: the even one
  assert.equal(fixed(0.0234375, 6), '0.023438'); // 23437.5
  assert.equal(fixed(12.5, 0), '12');
  assert.equal(fixed(13.5, 0), '14');
  assert.equal(fixed(2.675, 2), '2.67');
  assert.equal(fixed(0.1, 3), '0.100');
});

test('times are written with hours', () => {
  assert.equal(clock(3661.0015, '.'), '01:01:01.002');
  assert.equal(clock(59.9999, ','), '00:01:00,000');
});

test('a timeline has a CSV line for each window', () => {
  const lines = timelineCsv(windows).split('\n');
  assert.equal(lines[0], '\ufeffstart,end,emotion,confidence,happy,sad');
  assert.equal(lines[1], '0.000,1.000,happy,0.900000,0.900000,0.100000');
  assert.equal(lines.length, 4);
});

test('no cell is run as a formula, and numbers stay numbers', () => {
  const row = ['=1+1', '+a', '-b', '@c', ' =d', '\te', '＝f', '-1', '+0.5', '', 'ok'];
  const safe = "'=1+1,'+a,'-b,'@c,' =d,'\te,'＝f,-1,+0.5,,ok\n";
  assert.equal(csvText([row]), `\ufeff${safe}`);
  assert.equal(csvText([['a"b', 'c,d', 'e\nf']]), '\ufeff"a""b","c,d","e\nf"\n');
});

test('subtitles in WebVTT escape their text, and tell the notice in notes', () => {
  const text = asVtt(windows, ['Drawn faces --> no\n\npeople.']);
  const head = 'WEBVTT\n\nNOTE Drawn faces -> no people.\n\n';
  assert.ok(text.startsWith(`${head}00:00:00.000 --> 00:00:01.000\nhappy 90%\n\n`));
  assert.ok(text.endsWith('00:59:59.500 --> 01:00:00.250\na &lt;b&gt; &amp; c 12%\n'));
});

test('subtitles in SubRip are numbered', () => {
  const cue = '2\n00:59:59,500 --> 01:00:00,250\na <b> & c 12%\n';
  assert.ok(asSrt(windows).startsWith('1\n00:00:00,000 --> 00:00:01,000\nhappy 90%\n\n'));
  assert.ok(asSrt(windows).endsWith(cue));
});

test('a whole answer is exported as it came, a part of one is marked', () => {
  const answer = { emotion: 'happy', notice: 'drawn', timeline: windows };
  const whole = asJson(
    { answer, isComplete: true, windows, emotion: answer, explanation: null },
    'n',
  );
  assert.deepEqual(JSON.parse(whole), answer);
  const part = asJson(
    { answer: null, isComplete: false, windows, emotion: null, explanation: 'The' },
    'n',
  );
  assert.deepEqual(JSON.parse(part), {
    complete: false,
    explanation: 'The',
    timeline: windows,
    notice: 'n',
  });
});

test('files are named after their clip', () => {
  assert.equal(fileName('folder/a.b.mp4', 'vtt', true), 'a.b.emotion.vtt');
  assert.equal(
    fileName('https://example.org/x/clip.mp4?y=1.2', 'csv', false),
    'clip.emotion.incomplete.csv',
  );
  assert.equal(fileName('', 'csv', true), 'clip.emotion.csv');
});

test('many clips are a row and a line each, failed ones too', () => {
  const warnings = [{ code: 'no_sound', message: 'No sound.' }];
  const response = {
    ...windows[0],
    answer: 'Happy.',
    answer_matches: true,
    explanation: 'One,\ntwo',
    warnings,
  };
  const clips = [
    { name: 'a.mp4', response },
    { name: '=b.mp4', error: 'Damaged.' },
  ];
  const lines = batchCsv(clips).split('\n');
  const head =
    'video,emotion,confidence,answer,answer_matches,explanation,p(happy),p(sad),warnings,error';
  assert.deepEqual(lines, [
    `\ufeff${head}`,
    'a.mp4,happy,0.9,Happy.,True,"One, two",0.9,0.1,No sound.,',
    "'=b.mp4,,,,,,,,,Damaged.",
    '',
  ]);
  const [first, second] = asJsonLines(clips)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(first, { video: 'a.mp4', ...response, error: null });
  assert.deepEqual(second, { video: '=b.mp4', emotion: null, confidence: null, error: 'Damaged.' });
});
