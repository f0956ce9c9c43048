/** The lines of a batch, one for each clip, and what the lines of its results mean. */
import { fromResult, InvalidAnswer } from '../errors.js';
import { parseObject } from '../json.js';
import { makeCall } from '../options.js';
const MOST_LINES = 50_000;
const MOST_NAME = 512;
const MOST_HOURS = 168;
const DAY_HOURS = 24;
/**
 * The lines of clips by their names, in the order of the clips.
 *
 * @throws TypeError - There are no clips or too many, or one cannot have a line.
 */
export function linesOfClips(clips, optionsOf) {
    const found = new Map();
    for (const clip of clips) {
        const name = nameOfClip(clip);
        const isTwin = found.has(name) && found.get(name)?.clip !== clip;
        if (isTwin && clip instanceof File) {
            throw new TypeError(`Two files have the name ${name}: a batch tells its clips by name.`);
        }
        const given = clip instanceof File ? { video: clip } : { videoPath: clip };
        const call = makeCall({ ...optionsOf(clip), ...given });
        found.set(name, { name, clip, line: (video) => asLine(name, call.naming(video)) });
    }
    if (found.size < 1 || found.size > MOST_LINES) {
        throw new TypeError(`A batch has 1 to ${MOST_LINES} clips, not ${found.size}.`);
    }
    return found;
}
/**
 * Seconds that an uploaded clip is kept: a day longer than the lines may take.
 *
 * @throws TypeError - The window is none.
 */
export function clipSeconds(completionWindow) {
    const [, hours] = /^([1-9]\d{0,2})h$/.exec(completionWindow) ?? [];
    if (hours === undefined || Number(hours) > MOST_HOURS) {
        throw new TypeError('`completionWindow` is 1h to 168h.');
    }
    return (Number(hours) + DAY_HOURS) * 3600;
}
/**
 * The result that a line is.
 *
 * @throws {@link InvalidAnswer} It is none.
 */
export function resultOf(line) {
    const result = parseObject(line);
    if (result === undefined || !('custom_id' in result)) {
        throw new InvalidAnswer('A line of the results is no result.');
    }
    return result;
}
/** The answer about one clip, or its error. */
export function analysisOf(result) {
    const { custom_id: videoPath, response } = result;
    if (response?.status_code !== 200) {
        return { videoPath, error: fromResult(result) };
    }
    const { body } = response;
    if (typeof body === 'object' && body !== null && 'evidence' in body) {
        return { videoPath, response: body };
    }
    const told = "The line's answer is not that of an Emotion-LLaMA server.";
    return { videoPath, error: new InvalidAnswer(told, { status: response.status_code }) };
}
function asLine(name, body) {
    const head = { custom_id: name, method: 'POST', url: '/v1/emotion' };
    return `${JSON.stringify(head).slice(0, -1)},"body":${body}}\n`;
}
function nameOfClip(clip) {
    const name = clip instanceof File ? clip.webkitRelativePath || clip.name : String(clip);
    if (name.length > MOST_NAME) {
        throw new TypeError(`A clip's name in a batch has ${MOST_NAME} characters: ${name.slice(0, 80)}`);
    }
    return name;
}
