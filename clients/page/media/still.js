/** Paints a clip that is a picture: images of the user's own are blocked, canvases are not. */

/** @import { App } from '../types.d.ts' */

/** What each canvas shows, so that it is painted once. @type {WeakMap<Element, File>} */
const painted = new WeakMap();

/**
 * @param {App} app
 * @param {Element} canvas
 * @param {File} file
 */
export async function paintPicture({ store }, canvas, file) {
  if (painted.get(canvas) === file || !(canvas instanceof HTMLCanvasElement)) {
    return;
  }
  painted.set(canvas, file);
  try {
    const picture = await createImageBitmap(file);
    canvas.width = picture.width;
    canvas.height = picture.height;
    canvas.getContext('2d')?.drawImage(picture, 0, 0);
    store.set({ duration: 0 });
  } catch {
    store.set({ player: { ...store.get().player, hasFailed: true } });
  }
}
