/** JSON that may be anything. */
/** The JSON object that a text is; undefined if it is none. */
export function parseObject(text) {
    try {
        const value = JSON.parse(text);
        return typeof value === 'object' && value !== null ? value : undefined;
    }
    catch {
        return undefined;
    }
}
