/** What can be asked about a clip, as options of the client's methods. */
import { asBase64 } from './base64.js';
import { countCrops } from './crops.js';
import { formOf } from './upload.js';
/** The task that `explain` makes of one. */
export function taskOf(task = 'both', explain = false) {
    return explain && task === 'emotion' ? 'both' : task;
}
/**
 * Put a request for an analysis together.
 *
 * @throws TypeError - No clip, two, or an option of a kind that cannot be sent.
 */
export function makeCall(options, accept = 'application/json') {
    const { videoPath, video, signal, prompt, question, ...others } = options;
    const name = nameOf({ videoPath, video });
    if (prompt != null && question != null && prompt !== question) {
        throw new TypeError('`prompt` is another name for `question`: give one of them.');
    }
    const { features, faceCrops, timeline, labels, ...same } = others;
    if (faceCrops != null) {
        countCrops(faceCrops);
    }
    const fields = {
        question: question ?? prompt,
        features: features == null ? undefined : asFeatures(features),
        timeline: timeline == null ? undefined : asTimeline(timeline),
        labels: labels == null || typeof labels === 'string' ? labels : Array.from(labels),
        ...fieldsOf(same),
    };
    return {
        path: '/v1/emotion',
        name,
        video,
        crops: faceCrops,
        naming: (video) => JSON.stringify({ ...fields, video }),
        holding: (clip) => formOf(clip, fields),
        accept,
        signal,
    };
}
/**
 * The name of a clip; undefined for a clip itself.
 *
 * @throws TypeError - No clip, two, or no name.
 */
export function nameOf({ videoPath, video }) {
    if ((videoPath == null) === (video == null)) {
        throw new TypeError('Give one clip: `videoPath`, or `video` with its bytes.');
    }
    return videoPath == null ? undefined : asPath(videoPath);
}
/**
 * Options under the names of the wire. What is no field of ours goes along: the server says so and
 * names it.
 *
 * @throws TypeError - A number that JSON does not carry.
 */
export function fieldsOf(options) {
    const wrong = Object.entries(options).find(([, value]) => isNoNumber(value));
    if (wrong) {
        throw new TypeError(`\`${wrong[0]}\` is ${wrong[1]}, which is no number that JSON carries.`);
    }
    return Object.fromEntries(Object.entries(options).map(([name, value]) => [onTheWire(name), value]));
}
/** JSON has null in the place of these, which would mean the default. */
function isNoNumber(value) {
    return typeof value === 'number' && !Number.isFinite(value);
}
function asPath(videoPath) {
    if (typeof videoPath === 'string') {
        return videoPath;
    }
    if (videoPath instanceof URL) {
        return videoPath.href;
    }
    throw new TypeError('`videoPath` is a path or a URL; give a clip itself as `video`.');
}
function asTimeline(timeline) {
    const isText = typeof timeline === 'string';
    if (!isText && typeof timeline === 'object' && !Array.isArray(timeline)) {
        return timeline;
    }
    const given = isText ? timeline.split('/') : [timeline].flat();
    const [window, step = window] = given.map((part) => typeof part === 'string' && !part.trim() ? Number.NaN : Number(part));
    if (given.length > 2 || !Number.isFinite(window) || !Number.isFinite(step)) {
        const told = JSON.stringify(timeline);
        throw new TypeError(`\`timeline\` is { window, step } in seconds, [2, 1], '2/1' or 2, not ${told}.`);
    }
    return { window, step };
}
function asFeatures(features) {
    if (typeof features === 'string') {
        return features;
    }
    if (features instanceof Uint8Array || features instanceof ArrayBuffer) {
        return asBase64(new Uint8Array(features));
    }
    throw new TypeError("`features` takes a .npy file's bytes (Uint8Array) or their base64.");
}
/** `maxTokens` is `max_tokens` there. */
function onTheWire(name) {
    return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
