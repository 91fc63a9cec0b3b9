import { type Dim, EspalierError, intOf, intsOf, type ValueInfo } from '@espalier/core';
import type { OpName } from '../op-names.js';
import { numberOf } from './elements.js';
import { sameShape } from './settle.js';
import { axisWithin, type BodyInput, type BodyResult, type ShapeRule, type Site, sameDim, typeOf } from './site.js';

/**
 * The branch that is taken where the condition is known, else what both have in common. A branch that contradicts
 * itself cannot be the one that runs: exporters guard Squeeze and the like this way.
 */
const branches: ShapeRule = (site) => {
  const condition = numberOf(site.elements(0));
  const [yes, no] = ['then_branch', 'else_branch'].map((name) => attempt(() => site.body(name, [])));
  if (yes?.error && no?.error) throw yes.error;
  const only = no?.error || condition === 1 ? yes : yes?.error || condition === 0 ? no : undefined;
  if (only && !only.error) return (only.result?.outputs ?? []).map(({ info }) => info);
  const [left, right] = [yes?.result?.outputs ?? [], no?.result?.outputs ?? []];
  return site.node.outputs.map((_, i) => common(site, [left[i]?.info, right[i]?.info], { output: i }));
};

interface Attempt {
  readonly result?: BodyResult | undefined;
  readonly error?: EspalierError;
}

function attempt(run: () => BodyResult | undefined): Attempt {
  try {
    return { result: run() };
  } catch (error) {
    if (error instanceof EspalierError && error.code === 'GRAPH_SHAPE') return { error };
    throw error;
  }
}

/** The common part of two types of the same value; a size that differs is open. */
function common(
  site: Site,
  [a, b]: readonly [ValueInfo | undefined, ValueInfo | undefined],
  { output, isLocal = () => false }: { readonly output: number; readonly isLocal?: (dim: Dim) => boolean },
): ValueInfo | undefined {
  if (!a || !b || JSON.stringify(a.container) !== JSON.stringify(b.container)) return undefined;
  const container = a.container ? { container: a.container } : {};
  if (a.container && !sameShape(a.shape, b.shape)) return { dtype: a.dtype, ...container };
  if (!a.shape || a.shape.length !== b.shape?.length) return { dtype: a.dtype, ...container };
  const shape = a.shape.map((dim, axis) => {
    const other = b.shape![axis]!; // of the same length
    return dim === other && !isLocal(dim) ? dim : site.fresh(axis, output);
  });
  return { dtype: a.dtype, shape, ...container };
}

// Each round opens at least one more size; more rounds than this mean a state whose rank grows.
const mostRounds = 4;

/** Runs a body on its own output until the types of the carried values no longer change. */
function settled(
  site: Site,
  initial: readonly (ValueInfo | undefined)[],
  visit: (state: readonly (ValueInfo | undefined)[]) => { body: BodyResult; next: readonly BodyInput[] } | undefined,
): { readonly state: readonly (ValueInfo | undefined)[]; readonly body: BodyResult } | undefined {
  let state = initial;
  for (let round = 0; ; round++) {
    const visited = visit(state);
    if (!visited) return undefined;
    const { body, next } = visited;
    const merged = state.map((info, i) => {
      const after = common(site, [info, next[i]?.info], { output: i, isLocal: body.isLocal });
      const grows = round >= mostRounds && !sameShape(info?.shape, after?.shape);
      return grows ? withoutShape(after) : after;
    });
    if (merged.every((info, i) => sameShape(info?.shape, state[i]?.shape) && info?.dtype === state[i]?.dtype)) {
      return { state, body };
    }
    state = merged;
  }
}

function withoutShape(info: ValueInfo | undefined): ValueInfo | undefined {
  if (!info) return undefined;
  const { shape: _, ...rest } = info;
  return rest;
}

/** The type of one visit's output stacked along a new axis. */
function stacked(
  site: Site,
  info: ValueInfo | undefined,
  { count, axis, output, body }: { count: Dim | undefined; axis: number; output: number; body: BodyResult },
): ValueInfo | undefined {
  if (!info?.shape || info.container) return typeOf(info?.dtype);
  const at = axisWithin(site, axis, info.shape.length + 1);
  const shape: Dim[] = [...info.shape];
  shape.splice(at, 0, count ?? site.fresh(at, output));
  return typeOf(
    info.dtype,
    shape.map((dim, i) => (body.isLocal(dim) ? site.fresh(i, output) : dim)),
  );
}

/** Carried values, then one stacked output for each further output of the body. */
const loop: ShapeRule = (site) => {
  const initial = site.node.inputs.slice(2).map((_, i) => site.info(i + 2));
  const goesOn = site.node.inputs[1] === undefined || numberOf(site.elements(1)) === 1;
  const condition = { info: typeOf('bool', []), elements: goesOn ? { shape: [], items: [1] } : undefined };
  const found = settled(site, initial, (state) => {
    const body = site.body('body', [{ info: typeOf('int64', []) }, condition, ...state.map((info) => ({ info }))]);
    return body && { body, next: body.outputs.slice(1) };
  });
  if (!found) return [];
  const { state, body } = found;
  // The trip count is exact when the condition is carried on as true.
  const trips = goesOn && numberOf(body.outputs[0]?.elements) === 1 ? site.elements(0)?.items[0] : undefined;
  const scans = body.outputs.slice(1 + state.length).map(({ info }, i) => {
    const count = typeof trips === 'number' ? Math.max(0, trips) : trips;
    return stacked(site, info, { count, axis: 0, output: state.length + i, body });
  });
  return [...state, ...scans];
};

/** The form of opset 9: carried values, then sequences that are cut along an axis each. */
const scan: ShapeRule = (site) => {
  if (site.opset === 8) return []; // had an optional batch axis and lengths; no exporter writes it any more
  const sequences = intOf(site.node, 'num_scan_inputs', 1);
  const carried = site.node.inputs.length - sequences;
  const axes = intsOf(site.node, 'scan_input_axes', undefined);
  let count: Dim | undefined;
  const slices = site.node.inputs.slice(carried).map((_, i) => {
    const [dtype, shape] = [site.dtype(carried + i), site.shape(carried + i)];
    if (!shape) return { info: typeOf(dtype) };
    const axis = axisWithin(site, axes?.[i] ?? 0, shape.length);
    count = count === undefined ? shape[axis]! : sameDim(site, 'scanned axes', count, shape[axis]!);
    return { info: typeOf(dtype, shape.toSpliced(axis, 1)) };
  });
  const initial = site.node.inputs.slice(0, carried).map((_, i) => site.info(i));
  const found = settled(site, initial, (state) => {
    const body = site.body('body', [...state.map((info) => ({ info })), ...slices]);
    return body && { body, next: body.outputs };
  });
  if (!found) return [];
  const outputAxes = intsOf(site.node, 'scan_output_axes', undefined);
  const scans = found.body.outputs
    .slice(carried)
    .map(({ info }, i) =>
      stacked(site, info, { count, axis: outputAxes?.[i] ?? 0, output: carried + i, body: found.body }),
    );
  return [...found.state, ...scans];
};

/** Ops with bodies: inferred inside, with the values around them known. */
export const controlFlowRules = {
  If: branches,
  Loop: loop,
  Scan: scan,
} as const satisfies Partial<Record<OpName, ShapeRule>>;
