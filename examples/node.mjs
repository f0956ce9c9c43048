/**
 * Asks about clips from Node: one with its explanation as it comes, then several at once.
 *
 *     (cd clients/js && npm ci && npm run build)
 *     node examples/node.mjs [CLIP ...]
 *
 * In a project of your own: `npm install PATH/clients/js`, and import from 'emotion-llama-sdk'.
 */

import { EmotionLLaMA, EmotionLLaMAError } from '../clients/js/dist/index.js';

const given = process.argv.slice(2);
const clips = given.length > 0 ? given : ['demo/clips/happy_face.mp4', 'demo/clips/sad_face.mp4'];
const client = new EmotionLLaMA({ apiUrl: 'http://127.0.0.1:7889' });

for await (const event of client.stream({ videoPath: clips[0], timeline: [1, 0.5] })) {
  if (event.type === 'explanation.delta') process.stdout.write(event.data.delta);
  if (event.type === 'done') console.log(`\n${event.data.timeline.length} windows`);
}

for await (const { videoPath, response, error } of client.analyzeMany(clips, { task: 'emotion' })) {
  const told = error instanceof EmotionLLaMAError ? error.message : error;
  console.log(videoPath, response ? `${response.emotion} ${response.confidence}` : told);
}
