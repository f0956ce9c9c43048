/** Paints a timeline as a picture to take away, in the page's theme and with its notice. */

import { slotOf } from '../../core/colours.js';
import { shortLabel } from '../../core/labels.js';
import { leading, outlineOf, runsOf } from '../layout.js';
import { cellsFor } from '../model.js';
import { colour, fillFor, font, line, SCALE, words, wrapped } from './brush.js';
import { geometryOf } from './geometry.js';
import { fitted, ticksOf, tickText, within } from './scale.js';

/** @import { Span, Strings, TimelineArgs } from '../../types.d.ts' */
/** @import { Geometry } from './geometry.js' */
/** @import { Cell } from '../layout.js' */

/** Pixels. */
const WIDTH = 1200;
const EM = 16;
const MARGIN = 24;
const LINE = 22;

/**
 * Return the picture of a timeline as PNG.
 *
 * @param {TimelineArgs} args
 * @param {Span} view the part that it shows
 * @param {{title: string, notes: string[]}} text what stands above and below it
 * @param {Strings} t
 * @returns {Promise<Blob>}
 */
export async function asPng(args, view, { title, notes }, t) {
  const canvas = document.createElement('canvas');
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  const geometry = geometryOf(args, view, WIDTH - 2 * MARGIN, EM);
  context.font = font(14);
  const lines = notes.flatMap((note) => wrapped(context, note, WIDTH - 2 * MARGIN));
  const height = MARGIN + 2 * LINE + geometry.height + LINE * (lines.length + 0.5) + MARGIN;
  canvas.width = WIDTH * SCALE;
  canvas.height = height * SCALE;
  context.scale(SCALE, SCALE);
  context.fillStyle = colour('var(--surface)');
  context.fillRect(0, 0, WIDTH, height);
  context.translate(MARGIN, MARGIN);
  words(context, title, 0, 16, { size: 18, weight: 600 });
  context.translate(0, 2 * LINE);
  paintChart(context, args, geometry, t);
  context.translate(0, geometry.height + LINE);
  for (const [index, line] of lines.entries()) {
    words(context, line, 0, index * LINE, { size: 14, ink: 'var(--text-soft)' });
  }
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('The picture is empty.'))));
  });
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {TimelineArgs} args
 * @param {Geometry} geometry
 * @param {Strings} t
 */
function paintChart(context, args, geometry, t) {
  const cells = within(cellsFor(args), geometry.view);
  paintStrip(context, cells, geometry, t);
  for (const [index, lane] of geometry.lanes.entries()) {
    context.save();
    context.translate(0, geometry.top(index));
    paintLane(context, args.labels.length, cells, lane, geometry, t);
    context.restore();
  }
  paintAxis(context, args, geometry, t);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Cell[]} cells
 * @param {Geometry} geometry
 * @param {Strings} t
 */
function paintStrip(context, cells, { x, strip, left, middle }, t) {
  const bar = strip * 0.22;
  words(context, t.timeline_label, left - 10, middle(strip), { align: 'right' });
  for (const { from, to, label } of runsOf(cells)) {
    const [start, width] = [x(from), Math.max(x(to) - x(from) - 1, 0.5)];
    context.globalAlpha = 0.2;
    context.fillStyle = colour(`var(--label-${slotOf(label).colour})`);
    context.fillRect(start, 0, width, strip - bar);
    context.globalAlpha = 1;
    context.fillStyle = fillFor(context, label);
    context.fillRect(start, strip - bar, width, bar);
    words(context, fitted(shortLabel(t, label), width - 12), start + 6, middle(strip - bar), {});
  }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} count of labels
 * @param {Cell[]} cells
 * @param {import('../layout.js').Lane} lane
 * @param {Geometry} geometry
 * @param {Strings} t
 */
function paintLane(context, count, cells, lane, { x, left, right, lane: height, middle }, t) {
  const name = lane.label === null ? t.timeline_other(lane) : shortLabel(t, lane.label);
  words(context, fitted(name, left - 12), left - 10, middle(height), { align: 'right' });
  context.fillStyle = colour('var(--sunken)');
  context.fillRect(left, 0, right - left, height);
  context.fillStyle =
    lane.label === null ? colour('var(--line-strong)') : fillFor(context, lane.label);
  context.globalAlpha = 0.5;
  context.fill(new Path2D(outlineOf(cells, lane, x, height)));
  context.globalAlpha = 1;
  context.fill(new Path2D(outlineOf(leading(cells, lane), lane, x, height)));
  line(context, left, right, height, 'var(--line-strong)', []);
  line(context, left, right, height * (1 - 1 / count), 'var(--text-soft)', [2, 4]);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {TimelineArgs} args
 * @param {Geometry} geometry
 * @param {Strings} t
 */
function paintAxis(context, { frameTime }, { view, x, axis, left, right }, t) {
  for (const time of ticksOf(view, right - left)) {
    const text = tickText(time);
    words(context, text, x(time), axis + 38, { align: 'center', ink: 'var(--text-soft)' });
  }
  if (frameTime != null && frameTime >= view.from && frameTime <= view.to) {
    const place = x(frameTime);
    context.fillStyle = colour('var(--text)');
    const diamond = `M${place} ${axis + 4}l6 6l-6 6l-6-6Z`;
    context.fill(new Path2D(diamond));
    const isLate = place > right - 60;
    const align = isLate ? 'right' : 'left';
    words(context, t.timeline_frame_mark, place + (isLate ? -10 : 10), axis + 15, { align });
  }
}
