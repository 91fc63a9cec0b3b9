import { type AxisPort, type AxisRule, type AxisSite, intOf, textOf } from '@espalier/core';
import { broadcast } from './elementwise.js';

/** Which inputs a kind of product has its matrices in, and what is added. */
interface GemmSlots {
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

/** [n, k] times [k, m], either one transposed on demand, and a value that is broadcast to the result. */
export function gemmAt(site: AxisSite, slots: GemmSlots): void {
  const [a, b] = [site.inputs[slots.a], site.inputs[slots.b]];
  const y = site.outputs[0];
  if (!a || !b || !y) {
    site.pinAll('its shapes are not known');
    return;
  }
  const [rows, inner] = intOf(site.node, 'transA', 0) ? [1, 0] : [0, 1];
  const [reduced, columns] = intOf(site.node, 'transB', 0) ? [1, 0] : [0, 1];
  site.same(a.axes[rows]!, y.axes[0]!);
  site.same(a.axes[inner]!, b.axes[reduced]!);
  site.same(b.axes[columns]!, y.axes[1]!);
  site.role(a, inner, 'sums');
  site.role(b, reduced, 'sums');
  broadcast(site, [site.inputs[slots.c]]);
}

const gemm: AxisRule = { relate: (site) => gemmAt(site, { a: 0, b: 1, c: 2 }) };

/** A product of matrices, broadcast over the axes before them; rank 1 is a row or a column. */
function product(
  site: AxisSite,
  flip: { readonly a: boolean; readonly b: boolean },
  [slotA, slotB]: readonly [number, number] = [0, 1],
): void {
  const [a, b] = [site.inputs[slotA], site.inputs[slotB]];
  const y = site.outputs[0];
  if (!a || !b || !y) {
    site.pinAll('its shapes are not known');
    return;
  }
  const [ra, rb] = [a.shape.length, b.shape.length];
  const inner = ra === 1 ? 0 : flip.a ? ra - 2 : ra - 1;
  const reduced = rb === 1 ? 0 : flip.b ? rb - 1 : rb - 2;
  site.same(a.axes[inner]!, b.axes[reduced]!);
  site.role(a, inner, 'sums');
  site.role(b, reduced, 'sums');
  const tail = (ra > 1 ? 1 : 0) + (rb > 1 ? 1 : 0);
  const rank = y.shape.length;
  if (ra > 1) site.same(a.axes[flip.a ? ra - 1 : ra - 2]!, y.axes[rank - tail]!);
  if (rb > 1) site.same(b.axes[flip.b ? rb - 2 : rb - 1]!, y.axes[rank - 1]!);
  batchAxes(site, { port: a, y, from: ra - 2, to: rank - tail });
  batchAxes(site, { port: b, y, from: rb - 2, to: rank - tail });
  if (ra > 2 && rb > 2) for (const axis of y.axes.slice(0, rank - tail)) site.mark(axis, 'products');
}

function batchAxes(site: AxisSite, at: { port: AxisPort; y: AxisPort; from: number; to: number }): void {
  for (let i = 1; i <= at.from; i++) {
    const axis = at.port.axes[at.from - i]!;
    const to = at.y.axes[at.to - i]!;
    if (axis.size === to.size) site.same(axis, to);
  }
}

/** A product of the matrices in two inputs. */
export const productAt = (site: AxisSite, a: number, b: number): void => product(site, { a: false, b: false }, [a, b]);

const matMul: AxisRule = { relate: (site) => productAt(site, 0, 1) };

/** A product with a bias along the last axis. */
const matMulBias: AxisRule = {
  relate(site) {
    productAt(site, 0, 1);
    broadcast(site, [site.inputs[2]]);
  },
};

const fusedMatMul: AxisRule = {
  relate(site) {
    if (intOf(site.node, 'transBatchA', 0) || intOf(site.node, 'transBatchB', 0)) {
      return site.pinAll('it transposes batch axes');
    }
    product(site, { a: intOf(site.node, 'transA', 0) === 1, b: intOf(site.node, 'transB', 0) === 1 });
  },
};

/** Every letter is one axis; letters that the output lacks are summed over. */
const einsum: AxisRule = {
  relate(site) {
    const equation = textOf(site.node, 'equation', '').replaceAll(/\s/g, '');
    const [left = '', right] = equation.split('->');
    const terms = left.split(',');
    if (right === undefined || /[^A-Za-z,]/.test(left + right)) return site.pinAll('its equation has no plain letters');
    const first = new Map<string, { readonly port: AxisPort; readonly axis: number }>();
    [...terms, right].forEach((term, i) => {
      const port = i < terms.length ? site.inputs[i] : site.outputs[0];
      if (port?.axes.length !== term.length) {
        site.pinAll('its shapes are not known');
        return;
      }
      [...term].forEach((letter, axis) => {
        const known = first.get(letter);
        if (!known) first.set(letter, { port, axis });
        else if (known.port.shape[known.axis] === port.shape[axis])
          site.same(known.port.axes[known.axis]!, port.axes[axis]!);
        if (i < terms.length && !right.includes(letter)) site.role(port, axis, 'sums');
      });
    });
  },
};

/** Products of matrices. */
export const linearRules = {
  Gemm: gemm,
  'com.microsoft::FusedGemm': gemm,
  MatMul: matMul,
  'com.microsoft::FusedMatMul': fusedMatMul,
  'com.microsoft::FusedMatMulActivation': fusedMatMul,
  'com.microsoft::GemmFastGelu': matMulBias,
  'com.microsoft::TransposeMatMul': fusedMatMul,
  Einsum: einsum,
} as const satisfies Record<string, AxisRule>;
