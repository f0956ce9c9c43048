/** Words of the view of many clips. */

export const many = {
  many_title: 'Many clips',
  many_lead:
    'Every clip gets a row. The queue waits when the server is busy; failed rows can be tried again.',
  many_progress_label: 'Progress of the batch',
  many_add: 'Add files …',
  many_add_folder: 'Add a folder …',
  many_empty: 'No clips yet. Add files or a folder, or drop them anywhere on this page.',
  many_form: 'Labels and frame are those of the view “Analyse”.',
  many_explained: 'Ask for an explanation, too (slower)',
  many_done: (/** @type {{done: number, all: number}} */ { done, all }) => `${done} of ${all} done`,
  many_failed: (/** @type {{n: number}} */ { n }) => `${n} failed`,
  many_minutes_left: (/** @type {{n: number}} */ { n }) => `about ${n} min left`,
  many_seconds_left: (/** @type {{n: number}} */ { n }) => `about ${n} s left`,
  many_progress: (
    /** @type {{done: number, all: number, failed: number}} */ { done, all, failed },
  ) =>
    failed > 0
      ? `${done} of ${all} clips done, ${failed} failed.`
      : `${done} of ${all} clips done.`,
  many_left_out: (/** @type {{n: number}} */ { n }) =>
    n === 1
      ? '1 file was left out: it is no clip.'
      : `${n} files were left out: they are no clips.`,
  many_pause: 'Pause',
  many_resume: 'Go on',
  many_retry_failed: 'Retry failed',
  many_clear: 'Clear',
  many_clear_sure: 'Take all clips out of the table? What has not been exported is lost.',
  many_paused: 'Paused. Clips under way come to their end.',
  many_offline: (/** @type {{s: string}} */ { s }) =>
    `The server cannot be reached. Trying again in ${s} s.`,
  many_still_busy: 'The server is still busy.',
  many_still_rate: 'There are still too many requests.',
  many_to_key: 'To the settings',
  many_name: 'Name',
  many_state: 'State',
  many_label: 'Label',
  many_share: 'Share',
  many_second: 'Second label',
  many_frame: 'Frame',
  many_sound: 'Sound',
  many_note: 'Note',
  many_actions: 'Actions',
  many_caption: 'The clips and what was found',
  many_waiting: 'waiting',
  many_sending: (/** @type {{sent: string, total: string}} */ { sent, total }) =>
    `sending ${sent} of ${total} MB`,
  many_reading: 'sent, reading …',
  many_done_state: 'done',
  many_failed_state: 'failed',
  many_no_sound: 'none',
  many_open: 'Open',
  many_retry: 'Retry',
  many_remove: 'Remove',
  many_of: (/** @type {{action: string, name: string}} */ { action, name }) => `${action} ${name}`,
  many_rows: (/** @type {{from: number, to: number, all: number}} */ { from, to, all }) =>
    `Rows ${from} to ${to} of ${all}`,
  many_previous: 'Previous rows',
  many_next: 'Next rows',
  many_export: 'Export',
};
