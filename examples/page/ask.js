/**
 * Asks about a clip from a page of your own, and shows the answer as it comes.
 *
 *     (cd clients/js && npm ci && npm run build)
 *     make serve ARGS="--allowed-origins '[\"http://127.0.0.1:8000\"]'"
 *     python3 -m http.server 8000 --bind 127.0.0.1
 *
 * Then open http://127.0.0.1:8000/examples/page/. The server lets a page of another origin ask only
 * if `--allowed-origins` names the origin.
 */

import { EmotionLLaMA } from '../../clients/js/dist/index.js';

const client = new EmotionLLaMA({ apiUrl: 'http://127.0.0.1:7889' });
const form = document.querySelector('form');
const status = document.querySelector('[role=status]');
const table = document.querySelector('table');
const explanation = document.querySelector('#explanation');

form.addEventListener('submit', (event) => {
  event.preventDefault();
  ask(form.elements.clip.files[0]);
});

/** Show the shares of the labels, then the explanation word by word. */
async function ask(clip) {
  table.replaceChildren();
  explanation.textContent = '';
  status.textContent = 'Asking …';
  try {
    for await (const { type, data } of client.stream({ video: clip, task: 'both' })) {
      if (type === 'emotion') show(data.probabilities);
      if (type === 'explanation.delta') explanation.textContent += data.delta;
      if (type === 'done') status.textContent = data.notice;
    }
  } catch (error) {
    status.textContent = error.message; // an EmotionLLaMAError tells what to do
  }
}

/** Show a row for each label, the largest share first. */
function show(probabilities) {
  for (const [label, share] of Object.entries(probabilities).sort((a, b) => b[1] - a[1])) {
    const row = table.insertRow();
    row.insertCell().textContent = label;
    row.insertCell().textContent = `${(100 * share).toFixed(1)} %`;
  }
}
