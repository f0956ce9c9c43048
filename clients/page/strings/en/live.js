/** Words of live mode. */

export const live = {
  live_title: 'Live',
  live_camera: 'Camera',
  live_empty: 'Nothing to show yet.',
  live_at: (/** @type {{from: string, to: string, lag: string}} */ { from, to, lag }) =>
    `${from} to ${to}, ${lag}`,
  live_intro:
    'The camera’s picture goes to this server in pieces of two seconds. Each piece gets a window of its own.',
  live_start: 'Start the camera',
  live_restart: 'Start again',
  live_replaces: 'Starting again clears this timeline.',
  live_pause: 'Pause',
  live_resume: 'Go on',
  live_stop: 'Stop',
  live_sending: 'Sending pieces of 2 s to this server',
  live_paused: 'Paused',
  live_over: 'Stopped. The camera is off.',
  live_waiting: 'The first answer comes in a few seconds …',
  live_now: 'Now',
  live_label: (/** @type {{label: string, share: string}} */ { label, share }) =>
    `${label} ${share}`,
  live_answered: (/** @type {{seconds: string}} */ { seconds }) => `answered ${seconds} later`,
  live_windows: (/** @type {{n: number}} */ { n }) => (n === 1 ? '1 window' : `${n} windows`),
  live_dropped: (/** @type {{n: number}} */ { n }) => `${n} dropped`,
  live_failed: (/** @type {{seconds: string}} */ { seconds }) => `${seconds} without an answer`,
  live_paused_for: (/** @type {{seconds: string}} */ { seconds }) => `paused ${seconds}`,
  live_hidden: (/** @type {{seconds: number}} */ { seconds }) =>
    `Paused while this tab was hidden (${seconds} s).`,
  live_no_picture: 'The camera gives no picture. It goes on when there is one.',
  live_other_tab: 'Live mode runs in another tab.',
  live_unplugged: 'Stopped, as the camera or the microphone was taken away.',
  live_hidden_long: 'Stopped, as this tab was hidden for 5 minutes.',
  live_span: 'Shown',
  live_span_minute: 'Last 60 s',
  live_span_five: 'Last 5 min',
  live_span_all: 'All',
  live_gaps: 'Gaps are pieces without an answer: paused, dropped or failed.',
  live_started: 'Live mode has begun.',
  live_stopped: 'Live mode has stopped. The camera is off.',
};
