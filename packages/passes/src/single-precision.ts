import {
  createNode,
  type DType,
  definePlugin,
  domainOf,
  editGraph,
  type Graph,
  inSight,
  int,
  type Node,
  redirectNode,
  subgraphsOf,
  type Tensor,
  tensorInfo,
  usesOf,
  type ValueId,
  type ValueInfo,
  withBodies,
} from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { removeIdentity } from './remove-identity.js';
import { singleAttributes } from './single-precision/single-attributes.js';
import { singleTensor } from './single-precision/single-tensor.js';

/** Types of real numbers that a processor computes with slowly or not at all. */
export type OtherPrecision = Extract<DType, 'float16' | 'bfloat16' | 'float64'>;

/** A graph that computes in float32, and the way back for constants. */
export interface SinglePrecision {
  readonly graph: Graph;
  /**
   * Stores the constants of 16 bits that came through unchanged in their own type again, with a Cast to float32 that
   * runtimes compute when they load the file: the file would grow otherwise. For graphs made from `graph`.
   */
  stored(graph: Graph): Graph;
}

const everyType: readonly OtherPrecision[] = ['float16', 'bfloat16', 'float64'];

/**
 * Computes in float32 what convolutions, matrix products and recurrent layers compute in float16, bfloat16 or float64.
 * Inputs and outputs of the model keep their types, with a Cast behind and before. Each value of these types becomes
 * float32; finite numbers beyond its largest become the largest.
 *
 * The graph comes back as it is where no such layer has one of the types, and where a custom op, a local function or a
 * sequence among the inputs or outputs might ask for the type.
 *
 * @throws GRAPH_SHAPE.
 */
export function singlePrecision(given: Graph, types: readonly OtherPrecision[] = everyType): SinglePrecision {
  const graph = inferShapes(given);
  const found = typesOfLayers(graph, new Set(types));
  if (found.size === 0 || !canChange(graph, found)) return { graph: given, stored: (each) => each };
  const walk: Walk = { types: found, sources: new Map(), made: new Map() };
  const ports = new Set([...graph.inputs, ...graph.outputs]);
  const whole = single(withCasts(graph, found), { walk, ports });
  return { graph: removeIdentity(whole), stored: (each) => storeAgain(each, walk.sources) };
}

interface Walk {
  readonly types: ReadonlySet<DType>;
  /** The constant that each new one was made from. */
  readonly sources: Map<Tensor, Tensor>;
  /** The new constant of each: one, where bodies share a tensor. */
  readonly made: Map<Tensor, Tensor>;
}

const layers: ReadonlySet<string> = new Set(['Conv', 'ConvTranspose', 'Gemm', 'MatMul', 'LSTM', 'GRU', 'RNN']);

function typesOfLayers(graph: Graph, among: ReadonlySet<DType>): ReadonlySet<DType> {
  const found = new Set<DType>();
  for (const node of graph.nodes) {
    for (const body of subgraphsOf(node))
      for (const each of typesOfLayers(inSight(body, graph), among)) found.add(each);
    if (!layers.has(node.op)) continue;
    for (const value of node.inputs) {
      const dtype = value === undefined ? undefined : tensorInfo(graph, value)?.dtype;
      if (dtype !== undefined && among.has(dtype)) found.add(dtype);
    }
  }
  return found;
}

/** Domains whose ops compute in float32 wherever they compute in another precision. */
const knownDomains: ReadonlySet<string> = new Set(['', 'com.microsoft']);

function canChange(graph: Graph, types: ReadonlySet<DType>): boolean {
  const isPlain = (value: ValueId) => {
    const info = graph.values.get(value);
    return info !== undefined && !(info.container && types.has(info.dtype));
  };
  const known = (nodes: readonly Node[]): boolean =>
    nodes.every(
      (node) =>
        knownDomains.has(domainOf(node.op)) &&
        !node.attributes.has('type') &&
        subgraphsOf(node).every((body) => known(body.nodes)),
    );
  return (
    graph.functions.length === 0 &&
    graph.inputs.every((value) => isPlain(value) && !graph.constants.has(value)) &&
    graph.outputs.every((value) => graph.constants.has(value) || isPlain(value)) &&
    known(graph.nodes)
  );
}

/** Casts behind inputs and before outputs, which keep their names and types. */
function withCasts(graph: Graph, types: ReadonlySet<DType>): Graph {
  const { fresh } = editGraph(graph);
  const inside = new Map<ValueId, ValueId>();
  const infos = new Map<ValueId, ValueInfo>(graph.values);
  const cast = (from: ValueId, to: ValueId, dtype: DType) =>
    createNode({
      id: fresh(`${to}_Cast`),
      op: 'Cast',
      inputs: [from],
      outputs: [to],
      attributes: { to: int(codes[dtype] ?? 1) },
    });
  const rename = (value: ValueId): { readonly name: ValueId; readonly dtype: DType } | undefined => {
    const info = graph.constants.get(value) ?? graph.values.get(value);
    if (!info || !types.has(info.dtype)) return undefined;
    const name = inside.get(value) ?? fresh(`${value}_float32`);
    inside.set(value, name);
    infos.set(name, { dtype: info.dtype, ...(info.shape ? { shape: info.shape } : {}) });
    return { name, dtype: info.dtype };
  };
  const first = graph.inputs.flatMap((value) => {
    const made = rename(value);
    return made ? [cast(value, made.name, 'float32')] : [];
  });
  const last = [...new Set(graph.outputs)].flatMap((value) => {
    if (graph.inputs.includes(value)) return []; // an input that is an output too stays as it is
    const made = rename(value);
    return made ? [cast(made.name, value, made.dtype)] : [];
  });
  const constants = new Map([...graph.constants].map(([value, each]) => [inside.get(value) ?? value, each]));
  const nodes = graph.nodes.map((node) => {
    const read = redirectNode(node, inside);
    const outputs = read.outputs.map((value) => (value === undefined ? value : (inside.get(value) ?? value)));
    return { ...read, outputs };
  });
  return { ...graph, nodes: [...first, ...nodes, ...last], constants, values: infos };
}

const none: ReadonlySet<ValueId> = new Set();
const codes: Readonly<Partial<Record<DType, number>>> = { float32: 1, float16: 10, float64: 11, bfloat16: 16 };

interface Single {
  readonly walk: Walk;
  /** Inputs and outputs of the model, which keep their types. */
  readonly ports: ReadonlySet<ValueId>;
}

function single(graph: Graph, { walk, ports }: Single): Graph {
  const infoOf = (info: ValueInfo): ValueInfo => (walk.types.has(info.dtype) ? { ...info, dtype: 'float32' } : info);
  return {
    ...graph,
    nodes: graph.nodes.map((node) => singleNode(node, { walk, ports })),
    constants: new Map(
      [...graph.constants].map(([value, each]) => [value, ports.has(value) ? each : constantOf(each, walk)]),
    ),
    values: new Map([...graph.values].map(([value, info]) => [value, ports.has(value) ? info : infoOf(info)])),
  };
}

function singleNode(node: Node, { walk, ports }: Single): Node {
  const whole = withBodies(node, (body) => single(body, { walk, ports: none }));
  if (node.op === 'Cast' && node.outputs.some((value) => ports.has(value ?? ''))) return whole; // to an output's own type
  return singleAttributes(whole, walk.types);
}

function constantOf(source: Tensor, { types, sources, made }: Walk): Tensor {
  if (!types.has(source.dtype)) return source;
  const found = made.get(source) ?? singleTensor(source);
  made.set(source, found);
  sources.set(found, source);
  return found;
}

const smallest = 128; // elements: below, a Cast takes more than it saves

function storeAgain(graph: Graph, sources: ReadonlyMap<Tensor, Tensor>, fresh = editGraph(graph).fresh): Graph {
  const casts: Node[] = [];
  const constants = new Map(graph.constants);
  const values = new Map(graph.values);
  for (const [value, constant] of graph.constants) {
    const source = sources.get(constant);
    if (!source || source.dtype === 'float64' || constant.data.length < smallest) continue;
    if (graph.outputs.includes(value) || usesOf(graph, value).some(({ node }) => !takesCast(node))) continue;
    const name = fresh(`${value}_${source.dtype}`);
    constants.delete(value);
    constants.set(name, source);
    values.set(value, { dtype: 'float32', shape: source.shape });
    const id = fresh(`${value}_Cast`);
    casts.push(createNode({ id, op: 'Cast', inputs: [name], outputs: [value], attributes: { to: int(1) } }));
  }
  const nodes = graph.nodes.map((node) => withBodies(node, (body) => storeAgain(body, sources, fresh)));
  const same = casts.length === 0 && nodes.every((node, i) => node === graph.nodes[i]);
  return same ? graph : { ...graph, nodes: [...casts, ...nodes], constants, values };
}

// Quantized ops and custom ones may ask for plain constants.
const takesCast = ({ op }: Node): boolean => domainOf(op) === '' && !op.endsWith('Linear') && op !== 'Resize';

/** Computes layers in float32. */
export const singlePrecisionPass = /* @__PURE__ */ definePlugin({
  kind: 'pass',
  id: 'single-precision',
  about: 'Computes layers of float16, bfloat16 and float64 in float32; inputs and outputs keep their types.',
  options: {},
  create: () => (graph: Graph) => singlePrecision(graph).graph,
});
