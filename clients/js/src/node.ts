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

/** What the name of a clip means here. */
export interface Local {
  /** The file that it names, if there is one. */
  file?: LocalFile;
  /** Why it names none, where it is a path. */
  reason?: string;
}

/** The local file that the name of a clip means. */
export async function localFile(name: string): Promise<Local> {
  const isFileUrl = /^file:\/\/\//i.test(name);
  const isAddress = name.slice(0, 32).includes('://') || /^data:/i.test(name);
  if (!IS_NODE || (isAddress && !isFileUrl)) {
    return {};
  }
  const fs = await builtin<typeof import('node:fs')>('node:fs');
  const { basename, dirname, resolve } = await builtin<typeof import('node:path')>('node:path');
  const { fileURLToPath } = await builtin<typeof import('node:url')>('node:url');
  const path = isFileUrl ? fileURLToPath(name) : resolve(name);
  const found = await fs.promises.stat(path).catch((error: NodeJS.ErrnoException) => error);
  if (found instanceof Error || !found.isFile()) {
    return { reason: whyNoFile(found) };
  }
  const open = async () => new File([await fs.openAsBlob(path)], basename(path));
  return { file: { path, folder: dirname(path), open } };
}

function whyNoFile(found: NodeJS.ErrnoException | import('node:fs').Stats): string {
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
export function environment(name: string): string | undefined {
  return IS_NODE ? process.env[name] : undefined;
}

/** Import a module of Node's behind the back of bundlers, which would look for it. */
function builtin<T>(name: string): Promise<T> {
  return import(/* webpackIgnore: true */ /* @vite-ignore */ name);
}
