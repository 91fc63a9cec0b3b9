import type { Attribute } from './attribute.js';
import type { DType } from './dtype.js';
import { addNode, shortName } from './emitter.js';
import { freshNames } from './fresh-names.js';
import {
  createGraph,
  createNode,
  type Dim,
  type Graph,
  type GraphParts,
  type Node,
  type ValueId,
  type ValueInfo,
} from './graph.js';
import type { Tensor } from './tensor.js';

/** Options of `add` besides op and inputs. */
export interface AddOptions {
  readonly attributes?: Readonly<Record<string, Attribute>>;
  /** Wished name of the (first) output, and of the node; made unique. The op's name when left out. */
  readonly name?: string;
  /** Number of outputs. Default: 1. */
  readonly outputs?: number;
}

/** Builds a graph from nothing, or on top of one: values are named, nodes follow each other in order. */
export interface GraphBuilder {
  input(name: string, dtype: DType, shape: readonly Dim[]): ValueId;
  /** Adds a constant; the same tensor object under the same wish is added once. */
  constant(name: string, tensor: Tensor): ValueId;
  /** Adds a node and returns its first output. */
  add(op: string, inputs: readonly (ValueId | undefined)[], options?: AddOptions): ValueId;
  /** Adds a node and returns all its outputs. */
  addAll(op: string, inputs: readonly (ValueId | undefined)[], options: AddOptions): readonly ValueId[];
  /** Marks a value as an output of the graph; under another name through an Identity node. */
  output(value: ValueId, name?: string): ValueId;
  /** Notes what is known of a value. */
  info(value: ValueId, info: ValueInfo): ValueId;
  /** A name near `wish` that is not in use. */
  fresh(wish: string): string;
  /** Adds nodes after all others. */
  append(...nodes: readonly Node[]): void;
  finish(): Graph;
}

/**
 * Opens a builder; on top of `base` it keeps everything that is there and appends.
 *
 *     const b = buildGraph();
 *     const x = b.input('x', 'float32', ['batch', 4]);
 *     b.output(b.add('Relu', [x], { name: 'y' }));
 *     const graph = b.finish();
 */
export function buildGraph(base: GraphParts = { inputs: [], outputs: [], nodes: [] }): GraphBuilder {
  const inputs = [...base.inputs];
  const outputs = [...base.outputs];
  const nodes: Node[] = [...base.nodes];
  const constants = new Map(base.constants);
  const values = new Map(base.values);
  const taken = new Set<string>([...inputs, ...constants.keys(), ...values.keys()]);
  for (const node of nodes) for (const name of [node.id, ...node.outputs]) if (name !== undefined) taken.add(name);
  const fresh = freshNames(taken);
  const append = (...more: readonly Node[]): void => void nodes.push(...more);
  const addAll: GraphBuilder['addAll'] = (op, from, options) =>
    addNode({ fresh, append }, op, from, { name: shortName(op), ...options });
  return {
    input(name, dtype, shape) {
      const value = fresh(name);
      inputs.push(value);
      values.set(value, { dtype, shape });
      return value;
    },
    constant(name, tensor) {
      if (constants.get(name) === tensor) return name;
      const value = fresh(name);
      constants.set(value, tensor);
      return value;
    },
    add: (op, from, options = {}) => addAll(op, from, { ...options, outputs: options.outputs ?? 1 })[0]!, // one output at least
    addAll,
    output(value, name = value) {
      if (name === value) {
        outputs.push(value);
        return value;
      }
      const out = fresh(name);
      nodes.push(createNode({ id: fresh(`${out}/Identity`), op: 'Identity', inputs: [value], outputs: [out] }));
      outputs.push(out);
      return out;
    },
    info(value, known) {
      values.set(value, known);
      return value;
    },
    fresh,
    append,
    finish: () => createGraph({ ...base, inputs, outputs, nodes, constants, values }),
  };
}
