/** The objects of `/v1/files` and `/v1/batches`, in OpenAI's shape. Times are in Unix seconds. */
/** `batch`: the lines of a batch, `batch_output`: their answers; the others are clips. */
export type Purpose = 'batch' | 'batch_output' | 'vision' | 'user_data';
/** A file that the server keeps. */
export interface FileObject {
    /** Names the file in requests, as a clip's `videoPath` for example. */
    id: string;
    object: 'file';
    bytes: number;
    created_at: number;
    /** When the server deletes it. */
    expires_at: number;
    filename: string;
    purpose: Purpose;
    status: 'processed';
    /** Always null, because a file that is not usable is refused. */
    status_details: string | null;
}
export interface FileDeleted {
    id: string;
    object: 'file';
    deleted: true;
}
/** A page of a list. */
export interface Page<Item> {
    object: 'list';
    data: Item[];
    first_id: string | null;
    /** What `after` is for the next page. */
    last_id: string | null;
    has_more: boolean;
}
export type BatchStatus = 'validating' | 'failed' | 'in_progress' | 'finalizing' | 'completed' | 'expired' | 'cancelling' | 'cancelled';
/** What is wrong with a line of a batch. */
export interface BatchError {
    code: string;
    /** Counted from 1; null for the whole file. */
    line: number | null;
    message: string;
    param: string | null;
}
export interface RequestCounts {
    total: number;
    /** Lines with an answer. */
    completed: number;
    /** Lines that were answered with an error. */
    failed: number;
}
/** Many requests as one job; a time is null for what has not come about. */
export interface Batch {
    id: string;
    object: 'batch';
    endpoint: string;
    errors: {
        object: 'list';
        data: BatchError[];
    } | null;
    input_file_id: string;
    completion_window: string;
    status: BatchStatus;
    output_file_id: string | null;
    error_file_id: string | null;
    created_at: number;
    in_progress_at: number | null;
    expires_at: number;
    finalizing_at: number | null;
    completed_at: number | null;
    failed_at: number | null;
    expired_at: number | null;
    cancelling_at: number | null;
    cancelled_at: number | null;
    request_counts: RequestCounts;
    metadata: Record<string, string> | null;
}
/** A line of a file of results. */
export interface BatchResult {
    id: string;
    custom_id: string;
    response: {
        status_code: number;
        request_id: string;
        body: unknown;
    } | null;
    /** Why the line was not answered. */
    error: {
        code: string;
        message: string;
    } | null;
}
