/** Files that are added to a batch: chosen, or dropped with their folders. */

/** @typedef {{file: File, name: string}} Clip */

/** By their names, where the browser knows no type. */
const ENDINGS =
  /\.(mp4|m4v|mov|webm|mkv|avi|mpe?g|ts|wmv|flv|3gp|ogv|png|jpe?g|wav|mp3|m4a|ogg|opus|flac|weba)$/i;
const PICTURES = ['image/png', 'image/jpeg'];

/**
 * Say whether a file may be a clip; the server looks at its content.
 *
 * @param {File} file
 */
export function mayBeClip({ type, name }) {
  return /^(video|audio)\//.test(type) || PICTURES.includes(type) || ENDINGS.test(name);
}

/**
 * Return chosen files, named with the folder that was chosen.
 *
 * @param {Iterable<File>} files
 * @returns {Clip[]}
 */
export function chosen(files) {
  return Array.from(files, (file) => ({ file, name: file.webkitRelativePath || file.name }));
}

/**
 * Return dropped files, those in folders among them.
 *
 * @param {DataTransfer} transfer
 * @returns {Promise<Clip[]>}
 */
export async function dropped(transfer) {
  // All at once: the browser empties the list when this function first waits.
  const items = Array.from(transfer.items, (item) => ({
    entry: item.webkitGetAsEntry(),
    file: item.getAsFile(),
  }));
  const found = await Promise.all(
    items.map(({ entry, file }) => (entry ? filesIn(entry, '') : chosen(file ? [file] : []))),
  );
  return found.flat();
}

/**
 * @param {FileSystemEntry} entry
 * @param {string} folder - With a slash at its end, or nothing.
 * @returns {Promise<Clip[]>}
 */
async function filesIn(entry, folder) {
  const name = folder + entry.name;
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) =>
      /** @type {FileSystemFileEntry} */ (entry).file(resolve, reject),
    );
    return [{ file, name }];
  }
  const inside = await entriesOf(/** @type {FileSystemDirectoryEntry} */ (entry));
  const found = await Promise.all(inside.map((one) => filesIn(one, `${name}/`)));
  return found.flat();
}

/**
 * Browsers hand out a hundred entries at a time.
 *
 * @param {FileSystemDirectoryEntry} folder
 */
async function entriesOf(folder) {
  const reader = folder.createReader();
  /** @type {FileSystemEntry[]} */
  const all = [];
  for (;;) {
    const some = await /** @type {Promise<FileSystemEntry[]>} */ (
      new Promise((resolve, reject) => reader.readEntries(resolve, reject))
    );
    if (some.length === 0) {
      return all;
    }
    all.push(...some);
  }
}
