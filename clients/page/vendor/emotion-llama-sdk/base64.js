/** Bytes as text. */
/** So many bytes become characters at once: a call takes no more arguments everywhere. */
const AT_ONCE = 0x8000;
export function asBase64(bytes) {
    let characters = '';
    for (let start = 0; start < bytes.length; start += AT_ONCE) {
        characters += String.fromCharCode(...bytes.subarray(start, start + AT_ONCE));
    }
    return btoa(characters);
}
/** A clip as a data URL; the server looks at its content and not at its type. */
export async function asDataUrl(clip) {
    const bytes = new Uint8Array(await clip.arrayBuffer());
    return `data:application/octet-stream;base64,${asBase64(bytes)}`;
}
