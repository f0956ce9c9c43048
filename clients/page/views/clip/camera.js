/** What recording and live mode share: consent, problems, the preview, the choice of devices. */

import { live } from '../../vendor/lit-html/directives/live.js';
import { html, nothing } from '../../vendor/lit-html/lit-html.js';

/** @import { Devices } from '../../media/camera.js' */
/** @import { App, State } from '../../types.d.ts' */

/**
 * What is to be known before a camera starts, and the agreement to it.
 *
 * @param {State} state
 * @param {App} app
 */
export function consentView({ server }, app) {
  const t = app.t();
  const { description, demonstration } = server.model ?? {};
  return html`
    ${description ? html`<p class="caution small" lang="en">${description}</p>` : nothing}
    ${demonstration ? html`<p class="caution small">${t.camera_demo}</p>` : nothing}
    <label class="check">
      <input type="checkbox" name="consent" required />
      <span>${t.camera_consent}</span>
    </label>`;
}

/**
 * Why there is no camera.
 *
 * @param {import('../../live/types.d.ts').LiveProblem | null} problem
 * @param {App} app
 */
export function problemView(problem, app) {
  const t = app.t();
  const words = {
    insecure: t.camera_insecure,
    refused: t.camera_refused,
    none: t.camera_none,
    in_use: t.camera_in_use,
    failed: t.camera_failed,
    'other-tab': t.live_other_tab,
    unplugged: t.live_unplugged,
    'hidden-long': t.live_hidden_long,
  };
  return problem ? html`<p class="trouble failure" role="alert">${words[problem]}</p>` : nothing;
}

/**
 * What the camera sees, as in a mirror, and what is missing in it.
 *
 * @param {{stream: MediaStream | null, camera: boolean, microphone: boolean}} opened
 * @param {State} state
 * @param {App} app
 */
export function previewView({ stream, camera, microphone }, { devices }, app) {
  const t = app.t();
  const { wanted } = devices;
  const noCamera = wanted.camera === 'none' ? t.camera_off : t.camera_grey;
  const noSound = wanted.microphone === 'none' ? t.camera_no_sound : t.camera_silent;
  return html`
    <video class="preview" aria-label=${t.camera_preview} autoplay playsinline
      .muted=${true} .srcObject=${stream}></video>
    ${stream && !camera ? html`<p class="caution small">${noCamera}</p>` : nothing}
    ${stream && !microphone ? html`<p class="caution small">${noSound}</p>` : nothing}`;
}

/**
 * The choice of camera and microphone, whose names browsers tell once one has been allowed.
 *
 * @param {State} state
 * @param {App} app
 * @param {(wanted: Devices) => void} choose
 */
export function devicesView({ devices }, app, choose) {
  const t = app.t();
  const { cameras, microphones, wanted } = devices;
  return html`<div class="devices">
    ${deviceField('camera', t.camera_label, t.camera_without_picture, cameras)}
    ${deviceField('microphone', t.camera_microphone, t.camera_without_sound, microphones)}
  </div>`;

  /**
   * @param {keyof Devices} kind
   * @param {string} name
   * @param {string} none
   * @param {MediaDeviceInfo[]} found
   */
  function deviceField(kind, name, none, found) {
    const chosen = wanted[kind] ?? '';
    const change = (/** @type {Event & {target: HTMLSelectElement}} */ { target }) =>
      choose({ [kind]: target.value });
    return html`<div class="field">
      <label for="device-${kind}">${name}</label>
      <select id="device-${kind}" .value=${live(chosen)} @change=${change}>
        <option value="">${t.camera_standard}</option>
        ${found.map(({ deviceId, label }) => html`<option value=${deviceId}>${label}</option>`)}
        <option value="none">${none}</option>
      </select>
    </div>`;
  }
}
