/** What only Node has: local files and environment variables. */
/** A file that a path names. */
export interface LocalFile {
    /** Absolute. */
    path: string;
    folder: string;
    /** Its content, which is read only when it is sent. */
    open(): Promise<File>;
}
/** What the name of a clip means here. */
export interface Local {
    /** The file that it names, if there is one. */
    file?: LocalFile;
    /** Why it names none, where it is a path. */
    reason?: string;
}
/** The local file that the name of a clip means. */
export declare function localFile(name: string): Promise<Local>;
/** The value of an environment variable, where there are any. */
export declare function environment(name: string): string | undefined;
