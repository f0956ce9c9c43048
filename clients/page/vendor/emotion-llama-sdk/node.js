/** What only Node has: local files and environment variables. */
const IS_NODE = typeof process !== 'undefined' && Boolean(process.versions?.node);
/** The local file that the name of a clip means. */
export async function localFile(name) {
    const isFileUrl = /^file:\/\/\//i.test(name);
    const isAddress = name.slice(0, 32).includes('://') || /^data:/i.test(name);
    if (!IS_NODE || (isAddress && !isFileUrl)) {
        return {};
    }
    const fs = await builtin('node:fs');
    const { basename, dirname, resolve } = await builtin('node:path');
    const { fileURLToPath } = await builtin('node:url');
    const path = isFileUrl ? fileURLToPath(name) : resolve(name);
    const found = await fs.promises.stat(path).catch((error) => error);
    if (found instanceof Error || !found.isFile()) {
        return { reason: whyNoFile(found) };
    }
    const open = async () => new File([await fs.openAsBlob(path)], basename(path));
    return { file: { path, folder: dirname(path), open } };
}
function whyNoFile(found) {
    if (found instanceof Error) {
        return found.code === 'EACCES'
            ? 'The file may not be read here, and the server cannot read it either.'
            : 'There is no such file, neither here nor in the folders that the server reads.';
    }
    return found.isDirectory()
        ? 'This is a folder, not a clip: name a file in it.'
        : 'This is no regular file: name a video file.';
}
/** The value of an environment variable, where there are any. */
export function environment(name) {
    return IS_NODE ? process.env[name] : undefined;
}
/** Import a module of Node's behind the back of bundlers, which would look for it. */
function builtin(name) {
    return import(/* webpackIgnore: true */ /* @vite-ignore */ name);
}
