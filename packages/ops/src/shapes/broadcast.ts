import type { Dim } from '@espalier/core';
import { maxDims } from './dim.js';
import type { Site } from './site.js';

/**
 * The shape of an elementwise result (numpy rules: aligned at the last axis, size 1 stretches). Two names that may
 * be equal or 1 give `max(M, N)`, which is right in every legal case.
 * @throws GRAPH_SHAPE when two sizes differ and neither is 1.
 */
export function broadcast(site: Site, shapes: readonly (readonly Dim[])[]): readonly Dim[] {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  return shapes.reduce((a, b) => pair(site, a, b), new Array<Dim>(rank).fill(1));
}

function pair(site: Site, a: readonly Dim[], b: readonly Dim[]): readonly Dim[] {
  const skipped = a.length - b.length; // a is never shorter
  return a.map((left, axis) => (axis < skipped ? left : stretch(site, left, b[axis - skipped]!)));
}

function stretch(site: Site, a: Dim, b: Dim): Dim {
  if (a === b || b === 1) return a;
  if (a === 1) return b;
  if (typeof a === 'number' && typeof b === 'number') {
    throw site.fail({ expected: 'shapes that broadcast (equal sizes or 1)', found: `${a} and ${b}` });
  }
  if (typeof a === 'number') return a;
  return typeof b === 'number' ? b : maxDims(a, b);
}
