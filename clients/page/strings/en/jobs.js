/** Words of the view of the server's jobs. */

export const jobs = {
  nav_jobs: 'Jobs of the server',
  jobs_lead:
    'The server works on these batches alone: this page may be closed. Requests of others go first.',
  jobs_submit: 'A folder becomes a job with',
  jobs_refresh: 'Refresh',
  jobs_empty: 'No jobs yet.',
  jobs_created: 'Created',
  jobs_state: 'State',
  jobs_clips: 'Clips',
  jobs_note: 'Note',
  jobs_actions: 'Actions',
  jobs_validating: 'being checked',
  jobs_failed: 'failed',
  jobs_in_progress: 'in progress',
  jobs_finalizing: 'being finished',
  jobs_completed: 'completed',
  jobs_expired: 'expired',
  jobs_cancelling: 'being cancelled',
  jobs_cancelled: 'cancelled',
};
