/** The bodies of API v1.0, `POST /v1/emotion` first, under the names that they have on the wire. */
export type Task = 'emotion' | 'reason' | 'both';
export type Language = 'en' | 'zh';
/**
 * Which picture is looked at: the first, the middle one, the peak (the strongest expression of the
 * face), or that of a time in seconds.
 */
export type FramePolicy = 'first' | 'middle' | 'peak' | number;
/** Given in the request, computed by the model, or zeros where neither was possible. */
export type RowSource = 'given' | 'computed' | 'zero';
/** Windows of `window` seconds, one every `step` seconds. */
export interface TimelineRequest {
    window: number;
    step: number;
}
/** What is shown, in numbers. */
export interface Emotion {
    /** The most probable label. */
    emotion: string;
    /** Its probability. */
    confidence: number;
    /** Of every label; they sum to 1. */
    probabilities: Record<string, number>;
}
/** The same for a stretch of the clip, in seconds from its start. */
export interface TimelineWindow extends Emotion {
    start: number;
    end: number;
    /** Of the window's picture, from the start of the video track; older servers leave it out. */
    frame_time?: number | null;
    /** What the transcription service heard in it; null if it was not asked. */
    transcript?: string | null;
}
/** The track that was used of those that carry pictures, or of those that carry sound. */
export interface Track {
    /** Its place among them, from 0. */
    index: number;
    /** As the file gives it, usually in three letters. */
    language: string | null;
    codec: string;
    /** How many there are. */
    count: number;
}
/** Where a face is, in shares of the picture's width and height, from the top left. */
export interface Box {
    x: number;
    y: number;
    width: number;
    height: number;
}
/** What was seen of faces. */
export interface Faces {
    /** How many the picture shows that was looked at. */
    count: number;
    /** Of the widest one; null if the picture shows none. */
    box: Box | null;
    /** In how many pictures of the clip one was sought. */
    frames: number;
    /** The share of these that show one. */
    share: number;
}
/** What the numbers were read from. */
export interface Evidence {
    frame_index: number;
    /** Seconds from the start of the picture. */
    frame_time: number;
    /** What was asked for. */
    frame_policy: FramePolicy;
    /** What was used: `middle` where no picture has a face for the `peak`; older servers leave it out. */
    frame_used?: FramePolicy | null;
    audio_seconds: number;
    has_audio: boolean;
    /** False for sound alone: the model sees a black picture; older servers leave it out. */
    has_picture?: boolean;
    /** Null for a picture, and for sound alone. */
    video_track?: Track | null;
    /** Null if the clip has none. */
    audio_track?: Track | null;
    /** The rows that were given. */
    features: string[];
    /** Where each row comes from; older servers leave it out. */
    feature_rows?: Record<string, RowSource>;
    /** How many face crops rows were computed from; older servers leave it out. */
    face_crops?: number;
    /** What was seen of faces; null where none was sought, and older servers leave it out. */
    faces?: Faces | null;
    /** What the transcription service heard; null if it was not asked, or failed. */
    transcript?: string | null;
    /** The served model's name. */
    checkpoint: string;
    /** SHA-256 of the checkpoint's `manifest.json`; null where it has none. */
    manifest: string | null;
    /** Behind which the labels' probabilities were read; `<unk>` stands for the clip. */
    prompt: string;
}
/** Tokens of the prompts and of what was generated; each label read counts one. */
export interface Usage {
    prompt_tokens: number;
    completion_tokens: number;
    total_tokens: number;
}
/** Seconds; null for what did not happen. */
export interface Timing {
    fetch: number;
    decode: number;
    /** Until the transcription service answered; older servers leave it out. */
    transcribe?: number | null;
    /** Until the engine took up the first question. */
    queue: number | null;
    /** Of the explanation, from the start of the request. */
    first_token: number | null;
    total: number;
}
/** What a caller should know about an answer that was given nevertheless. */
export interface AnalysisWarning {
    /**
     * `unknown_label`, `no_sound`, `no_picture`, `sound_cut`, `face_crops_unused`, `no_face`,
     * `no_peak`, `timeline_gaps`, `transcription_failed`, `transcript_cut`, `transcript_without_times`; more may come.
     */
    code: string;
    /** One sentence for people. */
    message: string;
}
/** The answer of `POST /v1/emotion`. */
export interface EmotionResponse extends Emotion {
    id: string;
    model: string;
    /** The model's own words to the question for a label; null for task `reason`. */
    answer: string | null;
    /** Whether they mean `emotion`. */
    answer_matches: boolean | null;
    /** Null for task `emotion`. */
    explanation: string | null;
    timeline: TimelineWindow[] | null;
    evidence: Evidence;
    usage: Usage;
    timing: Timing;
    /** What the caller should know about this answer; older servers leave it out. */
    warnings?: AnalysisWarning[];
    /** What the model is and is not. */
    notice: string;
}
/** The event `emotion` of a stream. */
export interface EmotionEvent extends Emotion {
    answer: string | null;
    answer_matches: boolean | null;
}
/** The event `explanation.delta`: the next piece of the explanation. */
export interface ExplanationDelta {
    delta: string;
}
/** OpenAI's error object. */
export interface ErrorDetail {
    message: string;
    /** `invalid_request_error`, `server_error` and others, one for each kind of status. */
    type: string;
    /** The field that is to blame, `timeline.step` for one inside another. */
    param: string | null;
    /** What a program can tell the error by; older servers give the status. */
    code: number | string | null;
}
/** Every failure of the routes under `/v1`, and the event `error` of a stream. */
export interface ErrorResponse {
    error: ErrorDetail;
}
/** The limits of one request. */
export interface Limits {
    /** Of a clip, however it comes. */
    clip_bytes: number;
    /** The longest sound of a clip; with a timeline, the longest window. */
    audio_seconds: number;
    /** The longest clip with a timeline. */
    timeline_seconds: number;
    timeline_windows: number;
    /** The longest request, with its upload. */
    request_seconds: number;
}
/** By which names a request may give a clip; every server also takes uploads. */
export interface Sources {
    /** Whether there are folders on the server whose clips a request may name. */
    paths: boolean;
    /** Whether there are hosts from which the server fetches clips. */
    urls: boolean;
    /** Whether the server keeps files, whose ids a request may name, and answers batches. */
    files?: boolean;
}
/** One name under which the model is served. */
export interface Model {
    id: string;
    object: string;
    created: number;
    owned_by: string;
    /** Tokens of prompt and answer together, a clip's embeddings included. */
    max_model_len: number | null;
    /** What the checkpoint is, in its own words. */
    description: string;
    /** From which it chooses by default; older servers leave out this and what follows. */
    labels?: string[];
    /** Of the checkpoint's own questions. */
    languages?: Language[];
    /** Whether it shows how the server works and recognises nobody's emotions. */
    demonstration?: boolean;
    limits?: Limits;
    sources?: Sources;
    /** Whether it has a transcription service, which `transcribe` asks. */
    transcribes?: boolean;
}
/** As OpenAI's. */
export interface ModelList {
    object: string;
    data: Model[];
}
