/** Paints a clip that is a picture: images of the user's own are blocked, canvases are not. */

/** @import { App } from '../types.d.ts' */

/** @type {((element: Element | undefined) => void) | undefined} */
let paint;

/**
 * Return the `ref` of the canvas that shows the chosen picture, the same one at each call.
 *
 * @param {App} app
 */
export function pictureRef(app) {
  paint ??= (element) => {
    if (element instanceof HTMLCanvasElement) {
      void paintPicture(app, element);
    }
  };
  return paint;
}

/**
 * @param {App} app
 * @param {HTMLCanvasElement} canvas
 */
async function paintPicture(app, canvas) {
  const { clip } = app.store.get();
  if (clip?.kind === 'file') {
    const picture = await createImageBitmap(clip.file);
    canvas.width = picture.width;
    canvas.height = picture.height;
    canvas.getContext('2d')?.drawImage(picture, 0, 0);
    app.store.set({ duration: 0 });
  }
}
