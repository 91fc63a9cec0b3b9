import { significant } from '../report/format-number.js';
import { type Html, html } from '../report/html.js';

/** One axis of a plot: where it begins and ends, and whether equal ratios are equally far apart. */
export interface PlotAxis {
  readonly from: number;
  readonly to: number;
  readonly title: string;
  readonly log?: boolean;
  readonly ticks: readonly number[];
}

/** The drawing area: positions of numbers inside the frame. */
export interface PlotFrame {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

const size = { width: 340, height: 218, left: 34, right: 8, top: 16, bottom: 30 };

/** A plot with two axes and their ticks; `draw` fills it. Values beyond an axis are drawn at its end. */
export function plot(
  { x, y }: { readonly x: PlotAxis; readonly y: PlotAxis },
  { label, draw }: { readonly label: string; readonly draw: (frame: PlotFrame) => readonly Html[] },
): Html {
  const [left, right] = [size.left, size.width - size.right];
  const [top, bottom] = [size.top, size.height - size.bottom];
  const frame = { left, right, top, bottom, x: scale(x, left, right), y: scale(y, bottom, top) };
  const across = y.ticks.map((tick) => {
    const at = frame.y(tick);
    return html`<line x1="${left}" x2="${right}" y1="${at}" y2="${at}" stroke="var(--line)"/><text x="${left - 4}" y="${at + 3}" font-size="9" fill="var(--soft)" text-anchor="end">${significantTick(tick)}</text>`;
  });
  const along = x.ticks.map(
    (tick) =>
      html`<text x="${frame.x(tick)}" y="${bottom + 12}" font-size="9" fill="var(--soft)" text-anchor="middle">${significantTick(tick)}</text>`,
  );
  return html`<svg viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${label}">${across}${along}${draw(frame)}<text x="${(left + right) / 2}" y="${size.height - 4}" font-size="9.5" fill="var(--soft)" text-anchor="middle">${x.title}</text><text x="${left}" y="${top - 6}" font-size="9.5" fill="var(--soft)">${y.title}</text></svg>`;
}

function scale({ from, to, log = false }: PlotAxis, start: number, end: number): (value: number) => number {
  const place = log ? Math.log : (value: number) => value;
  const [low, high] = [place(from), place(to)];
  const span = high > low ? high - low : 1;
  return (value) => {
    const share = (place(value) - low) / span;
    const inside = Number.isNaN(share) ? 0 : Math.min(1, Math.max(0, share));
    return Math.round((start + inside * (end - start)) * 10) / 10;
  };
}

const significantTick = (tick: number): string => (Number.isInteger(tick) ? String(tick) : significant(tick));

/** A line through points. */
export const polyline = (points: readonly (readonly [number, number])[], colour: string): Html =>
  html`<polyline points="${points.map(([x, y]) => `${x},${y}`).join(' ')}" fill="none" stroke="var(--${colour})" stroke-width="1.6"/>`;

/** The area between a line there and a line back. */
export const area = (points: readonly (readonly [number, number])[], colour: string): Html =>
  html`<polygon points="${points.map(([x, y]) => `${x},${y}`).join(' ')}" fill="var(--${colour})" opacity="0.18"/>`;

/** A point with a title that shows when it is pointed at. */
export const dot = ([x, y]: readonly [number, number], { colour, title }: { colour: string; title: string }): Html =>
  html`<circle cx="${x}" cy="${y}" r="3" fill="var(--${colour})" opacity="0.8"><title>${title}</title></circle>`;

/** Round numbers from `from` to `to`, about `count` of them. */
export function niceTicks(from: number, to: number, count = 5): readonly number[] {
  if (!(to > from)) return [from];
  const rough = (to - from) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((each) => each * power >= rough) ?? 10);
  const first = Math.ceil(from / step);
  const last = Math.floor(to / step);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}
