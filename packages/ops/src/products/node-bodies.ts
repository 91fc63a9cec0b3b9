import {
  createGraph,
  EspalierError,
  type Graph,
  indexOf,
  inSight,
  intOf,
  intsOf,
  type Node,
  subgraphsOf,
  toNumbers,
  type ValueId,
  type ValueInfo,
} from '@espalier/core';
import { axisAt } from '../axes/axis-at.js';
import { inferShapes } from '../infer-shapes.js';
import { functionBody, functionKey } from '../shapes/function-body.js';

/** A graph that a node runs. */
export interface NodeBody {
  readonly graph: Graph;
  /** Whether the node calls it as a function: its inputs then have the constants of the call. */
  readonly called: boolean;
  /** The number of its runs; undefined where only the data tells. A branch of If runs once or not at all. */
  readonly times: number | undefined;
}

/** The type of a value that a node reads, where it is known. */
export type InfoOf = (value: ValueId) => ValueInfo | undefined;

/** Whether a node runs other graphs: subgraphs, or a function of the model. */
export const runsBodies = (sight: Graph, node: Node): boolean =>
  subgraphsOf(node).length > 0 || sight.functions.some((each) => functionKey(each) === functionKey(node));

/**
 * The graphs that a node runs: branches of If, the body of Loop or Scan, or the function of the model that it calls;
 * none for most nodes. `sight` is the graph of the node with all that surrounds it in sight.
 */
export function bodiesOf(sight: Graph, node: Node, infoOf: InfoOf): readonly NodeBody[] {
  const bodies = subgraphsOf(node);
  if (bodies.length > 0) {
    const times = timesOf(sight, node, infoOf);
    return bodies.map((graph) => ({ graph, called: false, times }));
  }
  const called = sight.functions.find((each) => functionKey(each) === functionKey(node));
  if (!called) return [];
  const body = functionBody(called, node);
  const given = called.inputs.flatMap((name, i) => {
    const value = node.inputs[i];
    return value === undefined ? [] : [[name, value] as const];
  });
  const graph = createGraph({
    ...body,
    functions: sight.functions.filter((each) => each !== called), // a function that calls itself never ends
    constants: new Map(
      given.flatMap(([name, value]) => {
        const constant = sight.constants.get(value);
        return constant ? [[name, constant] as const] : [];
      }),
    ),
    values: new Map([
      ...body.values,
      ...given.flatMap(([name, value]) => {
        const info = infoOf(value);
        return info ? [[name, info] as const] : [];
      }),
    ]),
  });
  return [{ graph: inferShapes(graph), called: true, times: 1 }];
}

/**
 * Whether a branch of If contradicts itself at the sizes in sight, so that it cannot be the one that runs: merged
 * decoders have a branch for an empty cache and one for a full one.
 */
export function contradicts(branch: Graph, sight: Graph): boolean {
  try {
    inferShapes(inSight(branch, sight));
    return false;
  } catch (cause) {
    if (cause instanceof EspalierError && cause.code === 'GRAPH_SHAPE') return true;
    throw cause;
  }
}

function timesOf(sight: Graph, node: Node, infoOf: InfoOf): number | undefined {
  if (node.op === 'Scan') return scanned(node, infoOf);
  if (node.op !== 'Loop') return 1;
  const [trips, goesOn] = node.inputs.slice(0, 2).map((value) => {
    const constant = value === undefined ? undefined : sight.constants.get(value);
    return constant && toNumbers(constant)[0];
  });
  const endless = node.inputs[1] === undefined || goesOn === 1;
  const body = subgraphsOf(node)[0];
  return trips !== undefined && endless && body && carriesOn(body) ? Math.max(0, trips) : undefined;
}

/** The size of the axis that Scan walks along. */
function scanned(node: Node, infoOf: InfoOf): number | undefined {
  const slot = node.inputs.length - intOf(node, 'num_scan_inputs', 1);
  const shape = infoOf(node.inputs[slot] ?? '')?.shape;
  const size = shape?.[axisAt(intsOf(node, 'scan_input_axes', [0])[0] ?? 0, shape.length)];
  return typeof size === 'number' ? size : undefined;
}

/** Whether the body of Loop always asks for another round: by a constant, or by the condition that it was given. */
function carriesOn(body: Graph): boolean {
  const { producer } = indexOf(body);
  let value = body.outputs[0];
  for (let node = producer.get(value ?? ''); node?.op === 'Identity'; node = producer.get(value ?? '')) {
    value = node.inputs[0];
  }
  const constant = value === undefined ? undefined : body.constants.get(value);
  return value === body.inputs[1] || (constant !== undefined && toNumbers(constant)[0] === 1);
}
