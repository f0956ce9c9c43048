/** Bytes as text. */
export declare function asBase64(bytes: Uint8Array): string;
/** A clip as a data URL; the server looks at its content and not at its type. */
export declare function asDataUrl(clip: Blob): Promise<string>;
