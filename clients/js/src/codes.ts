/** The codes by which programs tell errors apart, and the status that each comes with. */

const STATUSES = new Map([
  ['invalid_request', 400],
  ['context_length_exceeded', 400],
  ['video_not_readable', 400],
  ['invalid_api_key', 401],
  ['invalid_token', 401],
  ['permission_denied', 403],
  ['route_not_found', 404],
  ['model_not_found', 404],
  ['video_not_found', 404],
  ['file_not_found', 404],
  ['batch_not_found', 404],
  ['method_not_allowed', 405],
  ['request_timeout', 408],
  ['too_large', 413],
  ['quota_exceeded', 413],
  ['unsupported_media_type', 415],
  ['rate_limit_exceeded', 429],
  ['headers_too_large', 431],
  ['internal_error', 500],
  ['transcription_failed', 502],
  ['server_unavailable', 503],
  ['processing_timeout', 504],
  ['insufficient_storage', 507],
]);

/** The status that a code comes with; older servers gave the status for the code. */
export function statusOfCode(code: number | string | null): number | undefined {
  return typeof code === 'number' ? code : STATUSES.get(code ?? '');
}
