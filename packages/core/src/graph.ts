import type { Attribute } from './attribute.js';
import type { DType } from './dtype.js';
import type { Tensor } from './tensor.js';

/** Names a value: a graph input, a constant, or a node's output. Unique within a graph. */
export type ValueId = string;

/** A size, or the name of one that is not known yet (`'batch'`). Equal names are equal sizes within a graph. */
export type Dim = number | string;

/** The known facts about a value. Without `shape`, not even the rank is known. */
export interface ValueInfo {
  readonly dtype: DType;
  readonly shape?: readonly Dim[];
  /** Set for values that are not plain tensors: the wrappers from outermost to innermost. */
  readonly container?: readonly Container[];
}

/** A wrapper around a tensor type: an ONNX sequence, optional, sparse tensor, or map with keys of a dtype. */
export type Container = 'sequence' | 'optional' | 'sparse' | { readonly mapFrom: DType };

/**
 * One operation. `op` is the plain name in the default ONNX domain (`Conv`) and `domain::Name` elsewhere
 * (`com.microsoft::MatMulNBits`). An omitted optional input or output is `undefined`.
 */
export interface Node {
  readonly id: string;
  readonly op: string;
  readonly inputs: readonly (ValueId | undefined)[];
  readonly outputs: readonly (ValueId | undefined)[];
  readonly attributes: ReadonlyMap<string, Attribute>;
  readonly doc?: string;
  readonly metadata?: ReadonlyMap<string, string>;
  /** Which overload of a model-local function is meant (ONNX IR 10). */
  readonly overload?: string;
}

/** A model-local function: a named body that nodes call like an op. */
export interface GraphFunction {
  readonly op: string;
  readonly overload?: string;
  readonly inputs: readonly ValueId[];
  readonly outputs: readonly ValueId[];
  /** Attribute names without a default. */
  readonly parameters: readonly string[];
  /** Attributes with their defaults. */
  readonly defaults: ReadonlyMap<string, Attribute>;
  readonly nodes: readonly Node[];
  readonly values: ReadonlyMap<ValueId, ValueInfo>;
  readonly opsets: ReadonlyMap<string, number>;
  readonly doc?: string;
  readonly metadata?: ReadonlyMap<string, string>;
}

/** Facts about a model that no algorithm reads but that a file carries. */
export interface Provenance {
  readonly irVersion?: number;
  readonly producer?: string;
  readonly producerVersion?: string;
  readonly domain?: string;
  readonly modelVersion?: number;
  readonly doc?: string;
  readonly metadata?: ReadonlyMap<string, string>;
}

/**
 * A whole model as one immutable value. `nodes` are in topological order. `constants` are the weights. `values`
 * holds the types of inputs, outputs and whatever intermediate values are known. A subgraph (the body of If, Loop
 * or Scan) is a Graph too: it has no opsets of its own and may read values of the graphs around it.
 */
export interface Graph {
  readonly name: string;
  readonly inputs: readonly ValueId[];
  readonly outputs: readonly ValueId[];
  readonly nodes: readonly Node[];
  readonly constants: ReadonlyMap<ValueId, Tensor>;
  readonly values: ReadonlyMap<ValueId, ValueInfo>;
  /** Version per domain; the default ONNX domain is `''`. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly functions: readonly GraphFunction[];
  readonly provenance: Provenance;
  readonly doc?: string;
  readonly metadata?: ReadonlyMap<string, string>;
}

/** The parts of a graph: everything but the lists of nodes, inputs and outputs has an empty default. */
export type GraphParts = Partial<Graph> & Pick<Graph, 'inputs' | 'outputs' | 'nodes'>;

/** A graph from its parts. Default: opset 17 of the default domain. */
export const createGraph = (parts: GraphParts): Graph => ({
  name: 'graph',
  constants: new Map(),
  values: new Map(),
  opsets: new Map([['', 17]]),
  functions: [],
  provenance: {},
  ...parts,
});

/** The parts of a node; attributes may be omitted. */
export type NodeParts = Omit<Node, 'attributes'> & { readonly attributes?: Readonly<Record<string, Attribute>> };

/** A node from its parts: `createNode({ id: 'a', op: 'Relu', inputs: ['x'], outputs: ['y'] })`. */
export const createNode = ({ attributes = {}, ...parts }: NodeParts): Node => ({
  ...parts,
  attributes: new Map(Object.entries(attributes)),
});

/** Version of a domain's operator set; 0 when the graph does not import it. */
export const opsetOf = (graph: Graph, domain = ''): number => graph.opsets.get(domain) ?? 0;

/** The domain of an op name: `''` for plain names, the part before `::` otherwise. */
export const domainOf = (op: string): string => (op.includes('::') ? op.slice(0, op.indexOf('::')) : '');

/** The type of a value that is a plain tensor, constants included; undefined when unknown. */
export function tensorInfo(graph: Graph, value: ValueId): ValueInfo | undefined {
  const constant = graph.constants.get(value);
  if (constant) return constant;
  const info = graph.values.get(value);
  return info?.container ? undefined : info;
}

/** The shape of a value when every dimension is a number; undefined otherwise. */
export function staticShape(graph: Graph, value: ValueId): readonly number[] | undefined {
  const shape = tensorInfo(graph, value)?.shape;
  return shape?.every((dim): dim is number => typeof dim === 'number') ? (shape as readonly number[]) : undefined;
}
