/** Draws a timeline as SVG: a strip with the leading labels, and a lane for each label. */

import { slotOf } from '../../core/colours.js';
import { shortLabel } from '../../core/labels.js';
import { svg } from '../../vendor/lit-html/lit-html.js';
import { fillOf } from '../../views/shell/patterns.js';
import { leading, outlineOf, runsOf } from '../layout.js';
import { fitted, ticksOf, tickText, within } from './scale.js';

/** @import { Strings, TimelineArgs } from '../../types.d.ts' */
/** @import { Geometry } from './geometry.js' */
/** @import { Cell } from '../layout.js' */

/**
 * @param {TimelineArgs} args
 * @param {Cell[]} cells
 * @param {Geometry} geometry
 * @param {Strings} t
 */
export function chartMarks(args, cells, geometry, t) {
  const seen = within(cells, geometry.view);
  return svg`
    ${gaps(args, geometry)}
    ${strip(seen, geometry, t)}
    ${lanes(args, seen, geometry, t)}
    ${axis(args, seen, geometry, t)}`;
}

/**
 * What moves over the chart, in a layer of its own, so that the rest need not be painted again.
 *
 * @param {Geometry} geometry
 */
export function headMarks({ axis, em, lane, lanes, middle, right, top }) {
  return svg`
    <g class="tl-head" data-head visibility="hidden">
      <rect class="tl-window" data-window y=${axis} height="3" width="0" />
      <g data-line>
        <line y1="0" y2=${axis} />
        <path d="M-5 0H5L0 7Z" />
      </g>
    </g>
    ${lanes.map(
      (_, index) => svg`<text class="tl-share" data-lane=${index} x=${right + 0.5 * em}
        y=${top(index) + middle(lane)}></text>`,
    )}`;
}

/**
 * @param {TimelineArgs} args
 * @param {Geometry} geometry
 */
function gaps({ gaps = [] }, { view, x, axis }) {
  return within(gaps, view).map(
    ({ from, to }) =>
      svg`<rect class="tl-gap" x=${x(from)} y="0" width=${x(to) - x(from)} height=${axis} />`,
  );
}

/**
 * @param {Cell[]} cells
 * @param {Geometry} geometry
 * @param {Strings} t
 */
function strip(cells, { x, strip: height, em, left, middle }, t) {
  const bar = height * 0.22;
  return svg`
    <text class="tl-name" x=${left - 0.6 * em} y=${middle(height)}>${t.timeline_label}</text>
    ${distinct(runsOf(cells), x).map(({ from, to, label }) => {
      const [start, end] = [x(from), x(to)];
      const word = fitted(shortLabel(t, label), (end - start - 0.7 * em) / (em / 16));
      return svg`
        <rect class="tl-tint paint-${slotOf(label).colour}" x=${start} y="0"
          width=${width(start, end)} height=${height - bar} />
        <rect x=${start} y=${height - bar} width=${width(start, end)} height=${bar}
          fill=${fillOf(label)} />
        <text class="tl-word" x=${start + 0.4 * em} y=${middle(height - bar)}>${word}</text>`;
    })}`;
}

/**
 * Neighbours leave a hair between them, where there is room.
 *
 * @param {number} start
 * @param {number} end
 */
function width(start, end) {
  return Math.max(end - start - (end - start > 4 ? 1 : 0), 0.5);
}

/**
 * @param {TimelineArgs} args
 * @param {Cell[]} cells
 * @param {Geometry} geometry
 * @param {Strings} t
 */
function lanes({ labels }, cells, geometry, t) {
  const { lanes, lane: height, x, em, left, right, top, middle } = geometry;
  const chance = height * (1 - 1 / labels.length);
  return lanes.map((lane, index) => {
    const name = lane.label === null ? t.timeline_other(lane) : shortLabel(t, lane.label);
    const fill = lane.label === null ? 'var(--line-strong)' : fillOf(lane.label);
    return svg`<g transform="translate(0 ${top(index)})">
      <rect class="tl-ground" x=${left} y="0" width=${right - left} height=${height} />
      <path class="tl-lane" d=${outlineOf(cells, lane, x, height)} fill=${fill} />
      <path d=${outlineOf(leading(cells, lane), lane, x, height)} fill=${fill} />
      <line class="tl-base" x1=${left} x2=${right} y1=${height} y2=${height} />
      <line class="tl-chance" x1=${left} x2=${right} y1=${chance} y2=${chance} />
      <text class="tl-name" x=${left - 0.6 * em} y=${middle(height)}>
        ${fitted(name, (left - 0.8 * em) / (em / 16))}
      </text>
    </g>`;
  });
}

/**
 * @param {TimelineArgs} args
 * @param {Cell[]} cells
 * @param {Geometry} geometry
 * @param {Strings} t
 */
function axis({ frameTime }, cells, { view, x, em, left, right, axis: y }, t) {
  const marks = apart(cells.flatMap(({ window }) => window.frame_time ?? []).map(x), 5);
  const isSeen = frameTime != null && frameTime >= view.from && frameTime <= view.to;
  return svg`
    ${marks
      .filter((place) => place >= left && place <= right)
      .map((place) => svg`<circle class="tl-dot" cx=${place} cy=${y + 0.6 * em} r="1.6" />`)}
    ${isSeen ? frameMark(x(frameTime), y + 0.6 * em, em, right, t) : ''}
    ${ticksOf(view, right - left, 3.5 * em).map(
      (time) => svg`
        <line class="tl-tick" x1=${x(time)} x2=${x(time)} y1=${y + 1.15 * em} y2=${y + 1.5 * em} />
        <text class="tl-time" x=${x(time)} y=${y + 2.4 * em}>${tickText(time)}</text>`,
    )}`;
}

/**
 * @param {number} x
 * @param {number} y
 * @param {number} em
 * @param {number} right
 * @param {Strings} t
 */
function frameMark(x, y, em, right, t) {
  const isLate = x > right - 4 * em;
  return svg`<g class="tl-frame" data-frame-mark>
    <path d="M${x} ${y - 6}L${x + 6} ${y}L${x} ${y + 6}L${x - 6} ${y}Z" />
    <text x=${isLate ? x - 10 : x + 10} y=${y + 0.28 * em} text-anchor=${isLate ? 'end' : 'start'}>
      ${t.timeline_frame_mark}
    </text>
  </g>`;
}

/**
 * The spans that are seen: of those within one pixel, the first.
 *
 * @template {import('../../types.d.ts').Span} T
 * @param {T[]} spans
 * @param {(time: number) => number} x
 */
function distinct(spans, x) {
  let last = Number.NaN;
  return spans.filter(({ from, to }) => {
    const pixel = Math.floor(x(to));
    const isSeen = pixel !== last || x(to) - x(from) >= 1;
    last = pixel;
    return isSeen;
  });
}

/**
 * The places that stand apart from the one before.
 *
 * @param {number[]} places
 * @param {number} least
 */
function apart(places, least) {
  let last = Number.NEGATIVE_INFINITY;
  return places.filter((place) => {
    const isApart = place - last >= least;
    last = isApart ? place : last;
    return isApart;
  });
}
