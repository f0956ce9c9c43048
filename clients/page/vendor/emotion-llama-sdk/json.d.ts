/** JSON that may be anything. */
/** The JSON object that a text is; undefined if it is none. */
export declare function parseObject(text: string): object | undefined;
