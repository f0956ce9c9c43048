/** What only Node has: local files and environment variables. */

const IS_NODE = typeof process !== 'undefined' && Boolean(process.versions?.node);

/** A file that a path names. */
export interface LocalFile {
  /** Absolute. */
  path: string;
  folder: string;
  /** Its content, which is read only when it is sent. */
  open(): Promise<File>;
}

/** The local file that the name of a clip means; undefined if it means something else. */
export async function localFile(name: string): Promise<LocalFile | undefined> {
  const isAddress = name.slice(0, 32).includes('://') || /^data:/i.test(name);
  if (!IS_NODE || isAddress) {
    return undefined;
  }
  const fs = await builtin<typeof import('node:fs')>('node:fs');
  const { basename, dirname, resolve } = await builtin<typeof import('node:path')>('node:path');
  const path = resolve(name);
  const isFile = await fs.promises.stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
  const open = async () => new File([await fs.openAsBlob(path)], basename(path));
  return isFile ? { path, folder: dirname(path), open } : undefined;
}

/** The value of an environment variable, where there are any. */
export function environment(name: string): string | undefined {
  return IS_NODE ? process.env[name] : undefined;
}

/** Import a module of Node's behind the back of bundlers, which would look for it. */
function builtin<T>(name: string): Promise<T> {
  return import(/* webpackIgnore: true */ /* @vite-ignore */ name);
}
