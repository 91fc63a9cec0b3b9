import { editGraph, type Graph, toFloats, usesOf } from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { foldBack, removeDeadNodes } from '@espalier/passes';
import { isWeighted, outputAxis } from '../weight-axis.js';
import { type LatticeRead, type LatticeWeight, latticeOf, latticeTensor, refitted } from './lattice-weights.js';

/** A graph whose learned weights are constants on their lattices, with batch norms taken in. */
export interface Settled {
  readonly graph: Graph;
  /** The lattice of a weight by the node that reads it in slot 1. */
  readonly weights: ReadonlyMap<string, LatticeWeight>;
}

/**
 * Puts weights on their lattices and takes the batch norms behind them in: a factor per channel moves into the scales,
 * and the codes stay as they were trained. A layer whose batch norm cannot be taken in keeps it.
 */
export function settleLattices(given: Graph): Settled {
  const reads: LatticeRead[] = [];
  const draft = editGraph(given);
  for (const node of given.nodes) {
    if (node.op !== 'espalier::FakeQuantize') continue;
    const lattice = latticeOf(given, node);
    const output = node.outputs[0];
    if (!lattice || output === undefined || given.outputs.includes(output)) continue;
    draft.replace(node.id);
    draft.setConstant(output, latticeTensor(lattice));
    draft.setInfo(output, undefined);
    for (const use of usesOf(given, output)) {
      reads.push({ node: use.node.id, slot: use.slot, value: output, lattice });
    }
  }
  const flat = inferShapes(draft.finish());
  const graph = inferShapes(removeDeadNodes(foldedBack(flat)));
  const byId = new Map(graph.nodes.map((node) => [node.id, node]));
  const weights = new Map<string, LatticeWeight>();
  for (const read of reads) {
    const node = byId.get(read.node);
    const tensor = graph.constants.get(node?.inputs[read.slot] ?? '');
    if (!node || !tensor || read.slot !== 1) continue;
    const same = tensor === flat.constants.get(read.value);
    const found =
      same || !isWeighted(node.op) ? read.lattice : refitted(read.lattice, toFloats(tensor), outputAxis(graph, node));
    if (found) weights.set(node.id, found);
  }
  return { graph, weights };
}

/** Each round takes at least one node in. */
function foldedBack(graph: Graph): Graph {
  let current = graph;
  for (let round = 0; round <= graph.nodes.length; round++) {
    const next = foldBack(current);
    if (next === current) return current;
    current = inferShapes(next);
  }
  return current;
}
