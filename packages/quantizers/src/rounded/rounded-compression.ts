import {
  type Compressed,
  type Compression,
  type Evidence,
  type Graph,
  indexOf,
  type Need,
  type Node,
  type Note,
  needKey,
  type Rounding,
} from '@espalier/core';
import { roundByEvidence } from './round-by-evidence.js';
import { type RoundNode, roundNothing } from './round-node.js';
import { type LayerNeeds, listed, roundingNeeds } from './rounding-needs.js';

/** A quantizer that has made its plan and takes a rounding of weights. */
export interface RoundedPlan {
  /** The graph that the needs refer to. */
  readonly graph: Graph;
  /** Default: each weight to the nearest point. */
  readonly rounding: Rounding | undefined;
  /** The nodes whose weights are rounded by it. */
  readonly nodes: readonly Node[];
  /** The needs of the quantizer itself. */
  readonly needs?: readonly Need[];
  /**
   * Writes the graph, or one with the same nodes by id and other weights. `round` is asked once for each weight that is
   * written, with the grids that the quantizer would take.
   */
  write(graph: Graph, round: RoundNode, evidence: Evidence): Compressed;
}

/** The compression of such a quantizer. */
export function roundedCompression({ graph, rounding, nodes, needs = [], write }: RoundedPlan): Compression {
  if (!rounding) return { graph, needs, apply: (evidence) => write(graph, roundNothing, evidence) };
  const found = roundingNeeds(graph, nodes, rounding);
  const all = [...needs, ...[...found.values()].flatMap(listed)];
  return {
    graph,
    needs: [...new Map(all.map((need) => [needKey(need), need])).values()],
    apply(evidence) {
      const round = withBodies(rounding, roundByEvidence(rounding, { needs: found, evidence }));
      const outcome = write(graph, round, evidence);
      return outcome.graph === graph
        ? outcome
        : { ...outcome, notes: [...outcome.notes, ...energyNotes(graph, found)] };
    },
  };
}

// Nothing is known of the inputs of nodes in bodies.
const withBodies = ({ needs }: Rounding, round: RoundNode): RoundNode =>
  needs?.length === 0
    ? Object.assign<RoundNode, { bodies: RoundNode }>((...of) => round(...of), { bodies: round })
    : round;

const energyNotes = (graph: Graph, needs: ReadonlyMap<string, LayerNeeds>): readonly Note[] =>
  [...needs].flatMap(([id, { energy }]): readonly Note[] =>
    energy
      ? [
          {
            node: id,
            op: indexOf(graph).node.get(id)!.op, // a node of this graph
            value: energy.value,
            outcome: 'warning',
            reason:
              'XᵀX of its inputs, with those of the layers before it, would take more than 2 GiB: its grids are fitted by the energy of each input, and each weight goes to the nearest point.',
          },
        ]
      : [],
  );
