import {
  createNode,
  domainOf,
  editGraph,
  type Graph,
  indexOf,
  int,
  type Node,
  type Note,
  type Outcome,
  type ValueId,
  withBodies,
} from '@espalier/core';
import type { LeftOut } from '../node-choice.js';
import { noteNodes } from '../note-nodes.js';
import { type HalfTensor, halfTensor, largestHalf } from './half-tensor.js';

const scaled = new Set(['QuantizeLinear', 'DequantizeLinear', 'DynamicQuantizeLinear', 'Resize', 'Upsample']);

/** The choice of what is stored in half the bits. */
interface Storing {
  /** Constants with fewer elements stay float32. */
  readonly smallest: number;
  readonly leftOut: LeftOut;
}

/**
 * Keeps float32 constants as float16 with a Cast in front that takes over their name, in the bodies of If, Loop and
 * Scan too. Runtimes fold the Cast when they load the file: half the bytes, the speed and memory of float32.
 */
export function storeInHalf(graph: Graph, storing: Storing): Outcome {
  const notes: Note[] = [];
  const { fresh } = editGraph(graph);
  return { graph: stored(graph, { ...storing, fresh, notes }), notes };
}

interface Walk extends Storing {
  /** A name that is free in the whole graph. */
  fresh(wish: string): string;
  /** The outcomes of the nodes so far. */
  readonly notes: Note[];
}

function stored(graph: Graph, walk: Walk): Graph {
  const found = chosenConstants(graph, walk);
  walk.notes.push(...notesOf(graph, { ...found, leftOut: walk.leftOut }));
  const nodes = graph.nodes.map((node) => withBodies(node, (body) => stored(body, walk)));
  const { halves } = found;
  if (halves.size === 0) return nodes.every((node, i) => node === graph.nodes[i]) ? graph : { ...graph, nodes };
  const constants = new Map([...graph.constants].filter(([value]) => !halves.has(value)));
  const values = new Map(graph.values);
  const casts = [...halves].map(([value, half]) => {
    const name = walk.fresh(`${value}_float16`);
    constants.set(name, half.tensor);
    values.set(value, { dtype: 'float32', shape: half.tensor.shape });
    const attributes = { to: int(1) };
    return createNode({ id: walk.fresh(`${value}_Cast`), op: 'Cast', inputs: [name], outputs: [value], attributes });
  });
  return { ...graph, nodes: [...casts, ...nodes], constants, values };
}

function chosenConstants(graph: Graph, { smallest, leftOut }: Storing): Omit<Found, 'leftOut'> {
  const readers = indexOf(graph).uses;
  const halves = new Map<ValueId, HalfTensor>();
  const tooLarge = new Set<ValueId>();
  for (const [value, constant] of graph.constants) {
    if (constant.dtype !== 'float32' || constant.data.length < smallest) continue;
    const uses = readers.get(value) ?? [];
    if (uses.length === 0 || graph.outputs.includes(value)) continue;
    if (uses.some(({ node }) => leftOut(node.id, node.op) !== undefined || !takesCast(node))) continue;
    const half = halfTensor(constant);
    if (half) halves.set(value, half);
    else tooLarge.add(value);
  }
  return { halves, tooLarge };
}

// Scales of quantized ops and the sizes of Resize must stay plain constants; custom ops may want their own constants.
const takesCast = (node: Node): boolean =>
  domainOf(node.op) === '' && !scaled.has(node.op) && !node.op.startsWith('QLinear');

interface Found {
  readonly halves: ReadonlyMap<ValueId, HalfTensor>;
  readonly tooLarge: ReadonlySet<ValueId>;
  readonly leftOut: LeftOut;
}

function notesOf(graph: Graph, { halves, tooLarge, leftOut }: Found): readonly Note[] {
  const warnings = [...tooLarge].map(
    (value): Note => ({
      value,
      outcome: 'warning',
      reason: `Constant "${value}" stays float32: it has values that float16 cannot hold, beyond ${largestHalf} or so small that they become 0.`,
    }),
  );
  const verdicts = noteNodes(graph, (node) => {
    const read = new Set(node.inputs.filter((value) => value !== undefined && halves.has(value)) as ValueId[]); // filtered
    if (read.size > 0) {
      const flushed = [...read].reduce((sum, value) => sum + halves.get(value)!.flushed, 0);
      const lost = flushed > 0 ? `; ${flushed} tiny weights became 0` : '';
      const reason = `Weights stored in float16, computed in float32${lost}`;
      return { outcome: 'quantized', reason, details: { weightBits: 16, compute: 'float32', flushed } };
    }
    if (node.inputs.some((value) => value !== undefined && tooLarge.has(value))) {
      return { outcome: 'float', reason: 'its weights do not fit float16' };
    }
    return { outcome: 'float', reason: leftOut(node.id, node.op) ?? 'it has no weights to store' };
  });
  return [...warnings, ...verdicts];
}
