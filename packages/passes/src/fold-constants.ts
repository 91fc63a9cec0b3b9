import {
  byteLength,
  definePlugin,
  editGraph,
  type Graph,
  longs,
  type Node,
  opsetOf,
  outerReferences,
  type PassContext,
  redirectNode,
  type Tensor,
  tensorInfo,
  usesOf,
  type ValueId,
} from '@espalier/core';
import {
  type Contents,
  contentsAfter,
  contentsOf,
  contentsOfShape,
  evaluateNode,
  isEvaluated,
  tensorOfContents,
} from '@espalier/ops';
import { inlineBranch } from './inline-branch.js';
import { settlers } from './settle-target.js';

/** Options of folding. */
export interface FoldOptions extends PassContext {
  /** Bytes by which one folded node may make the file larger. Default: 1 MiB. */
  readonly maxGrowth?: number;
  /** Whether DequantizeLinear of constants is computed too, which turns a quantized model back into a float one. */
  readonly dequantize?: boolean;
}

type FoldLimits = Required<Omit<FoldOptions, keyof PassContext>>;

const defaultGrowth = 2 ** 20;

/**
 * Computes what does not depend on the inputs: nodes with constant inputs become constants, Constant nodes move to
 * `graph.constants`, an If with a constant condition becomes its branch. Computed shapes are followed element by
 * element, with known types of values (run `inferShapes` first), so that the parts of them that are static, and the
 * Reshape targets whose other parts have a word (0, -1), become constants although the batch is not known.
 *
 * Left alone: unknown ops, subgraph bodies, nodes that make a graph output, what would grow the file by more than
 * `maxGrowth`, and, without `dequantize`, every DequantizeLinear: on constants it is how a quantized model stores a
 * weight, and computing it would undo the quantization.
 */
export function foldConstants(
  graph: Graph,
  { maxGrowth = defaultGrowth, dequantize = false }: FoldOptions = {},
): Graph {
  const folding = foldAll(graph, { maxGrowth, dequantize });
  // What each node may add can add up; where it does, only what is small is folded.
  if (constantBytes(finish(folding)) > growthBound(constantBytes(graph)) && maxGrowth > small) {
    return foldConstants(graph, { maxGrowth: small, dequantize });
  }
  const untouched =
    folding.aliases.size === 0 && folding.made.size === 0 && folding.nodes.every((node, i) => node === graph.nodes[i]);
  return untouched && folding.nodes.length === graph.nodes.length ? graph : finish(folding);
}

const small = 1024;

/** Bytes of constants that folding may leave of so many: a little more for small models, 5 % for large ones. */
const growthBound = (bytes: number): number => bytes + Math.max(16_384, bytes / 20);

const constantBytes = ({ constants }: Graph): number =>
  [...constants.values()].reduce((sum, tensor) => sum + (tensor.dtype === 'string' ? 0 : byteLength(tensor)), 0);

function foldAll(graph: Graph, options: FoldLimits): Folding {
  const folding = begin(graph, options);
  for (const node of graph.nodes) visit(folding, node);
  return folding;
}

interface Folding {
  readonly graph: Graph;
  readonly options: FoldLimits;
  readonly outputs: ReadonlySet<ValueId>;
  /** Values found to equal a constant under another name. */
  readonly aliases: Map<ValueId, ValueId>;
  readonly made: Map<ValueId, Tensor>;
  readonly contents: Map<ValueId, Contents>;
  readonly values: Map<ValueId, NonNullable<ReturnType<typeof tensorInfo>>>;
  readonly nodes: Node[];
  readonly fresh: (wish: string) => string;
}

const begin = (graph: Graph, options: FoldLimits): Folding => ({
  graph,
  options,
  outputs: new Set(graph.outputs),
  aliases: new Map(),
  made: new Map(),
  contents: new Map(),
  values: new Map(),
  nodes: [],
  fresh: editGraph(graph).fresh,
});

const constantOf = (folding: Folding, value: ValueId | undefined): Tensor | undefined =>
  value === undefined ? undefined : (folding.made.get(value) ?? folding.graph.constants.get(value));

const shapeOf = (folding: Folding, value: ValueId | undefined) =>
  value === undefined
    ? undefined
    : (constantOf(folding, value) ?? folding.values.get(value) ?? tensorInfo(folding.graph, value))?.shape;

function visit(folding: Folding, given: Node): void {
  const node = redirectNode(given, folding.aliases);
  if (node.op === 'If' && inline(folding, node)) return;
  const free = !node.outputs.some((value) => value !== undefined && folding.outputs.has(value));
  if (free && (fold(folding, node) || foldContents(folding, node))) return;
  if (!free && isEvaluated(node.op)) noteContents(folding, node);
  folding.nodes.push(settled(folding, node));
}

function inline(folding: Folding, node: Node): boolean {
  const condition = constantOf(folding, node.inputs[0]);
  if (condition?.dtype !== 'bool' || condition.data.length !== 1) return false;
  const branch = node.attributes.get(condition.data[0] ? 'then_branch' : 'else_branch');
  if (branch?.kind !== 'graph') return false;
  const { nodes, constants, values } = inlineBranch(node, branch.value, folding.fresh);
  for (const [value, tensor] of constants) folding.made.set(value, tensor);
  for (const [value, info] of values) if (!info.container) folding.values.set(value, info);
  for (const each of nodes) visit(folding, each);
  return true;
}

/** Computes a node whose inputs are all constant. */
function fold(folding: Folding, node: Node): boolean {
  if (!isEvaluated(node.op) || (node.op === 'DequantizeLinear' && !folding.options.dequantize)) return false;
  const inputs = node.inputs.map((value) => constantOf(folding, value));
  if (inputs.some((each, slot) => !each && node.inputs[slot] !== undefined)) return false;
  const [source, output] = [node.inputs[0], node.outputs[0]];
  if (node.op === 'Identity' && source !== undefined && output !== undefined) {
    folding.aliases.set(output, source);
    return true;
  }
  const maxBytes = folding.options.maxGrowth + freedBytes(folding, node);
  const results = evaluateNode(node, { inputs, opset: opsetOf(folding.graph), maxBytes });
  return results !== undefined && keep(folding, node, results);
}

/** Bytes of the constants that nobody else reads: they go when the node goes. */
function freedBytes({ graph, made }: Folding, node: Node): number {
  let bytes = 0;
  for (const value of new Set(node.inputs)) {
    const constant = value === undefined ? undefined : (made.get(value) ?? graph.constants.get(value));
    if (value !== undefined && constant && usesOf(graph, value).every((use) => use.node.id === node.id)) {
      bytes += byteLength(constant);
    }
  }
  return bytes;
}

function keep(folding: Folding, node: Node, results: readonly (Tensor | undefined)[]): boolean {
  if (!node.outputs.every((value, slot) => value === undefined || results[slot])) return false;
  node.outputs.forEach((value, slot) => {
    if (value !== undefined) folding.made.set(value, results[slot]!); // present, as just checked
  });
  return true;
}

/** Follows shape-like tensors; a node whose outputs turn out to be numbers throughout becomes constants. */
function foldContents(folding: Folding, node: Node): boolean {
  const known = noteContents(folding, node);
  return known !== undefined && keep(folding, node, known.map(tensorOfContents));
}

function noteContents(folding: Folding, node: Node): readonly Contents[] | undefined {
  const known = computeContents(folding, node);
  known?.forEach((each, slot) => {
    const value = node.outputs[slot];
    if (value !== undefined) folding.contents.set(value, each);
  });
  return known;
}

function computeContents(folding: Folding, node: Node): readonly Contents[] | undefined {
  const shape = shapeOf(folding, node.inputs[0]);
  if (node.op === 'Shape') return shape && [contentsOfShape(node, shape)];
  if (node.op === 'Size') {
    const count = shape?.reduce<number>((product, dim) => (typeof dim === 'number' ? product * dim : Number.NaN), 1);
    return Number.isSafeInteger(count) ? [{ dtype: 'int64', shape: [], elements: [count] }] : undefined;
  }
  const contents = node.inputs.map((value) => inputContents(folding, value));
  if (!contents.some((each) => each)) return undefined;
  const constants = node.inputs.map((value) => constantOf(folding, value));
  return contentsAfter(node, { contents, constants, opset: opsetOf(folding.graph) });
}

/** Contents of an input; of an int64 vector of known length, nothing but the length when that is all there is. */
function inputContents(folding: Folding, value: ValueId | undefined): Contents | undefined {
  if (value === undefined) return undefined;
  const constant = constantOf(folding, value);
  if (constant) return contentsOf(constant);
  const followed = folding.contents.get(value);
  const info = tensorInfo(folding.graph, value);
  if (followed || info?.dtype !== 'int64' || !info.shape) return followed;
  const [length, ...more] = info.shape;
  const single = info.shape.length === 0 ? 1 : length;
  if (more.length > 0 || typeof single !== 'number' || single > 8) return undefined;
  return {
    dtype: 'int64',
    shape: info.shape as readonly number[],
    elements: new Array<undefined>(single).fill(undefined),
  }; // at most one dimension, a number
}

/** The node with its computed shape replaced by numbers that mean the same, where there are some. */
function settled(folding: Folding, node: Node): Node {
  const settler = settlers.get(node.op);
  const source = settler && node.inputs[settler.slot];
  const contents = source === undefined || constantOf(folding, source) ? undefined : folding.contents.get(source);
  if (!settler || !contents) return node;
  const numbers = settler.settle({
    node,
    contents,
    data: shapeOf(folding, node.inputs[0]),
    output: shapeOf(folding, node.outputs[0]),
    constants: node.inputs.map((value) => constantOf(folding, value)),
  });
  if (!numbers) return node;
  const name = folding.fresh(`${node.outputs[0] ?? node.id}_${settler.slot === 1 ? 'shape' : 'ends'}`);
  const wide = longs(numbers);
  folding.made.set(
    name,
    contents.dtype === 'int64' ? wide : { dtype: 'int32', shape: wide.shape, data: Int32Array.from(numbers) },
  );
  return { ...node, inputs: node.inputs.with(settler.slot, name) };
}

/** The folded graph, without the constants that only folded nodes read. */
function finish({ graph, made, nodes, values }: Folding): Graph {
  const read = new Set<ValueId>(graph.outputs);
  for (const node of nodes) {
    for (const value of node.inputs) if (value !== undefined) read.add(value);
    for (const value of outerReferences(node)) read.add(value);
  }
  const constants = new Map<ValueId, Tensor>();
  for (const [value, tensor] of graph.constants) {
    if (read.has(value) || usesOf(graph, value).length === 0) constants.set(value, tensor);
  }
  for (const [value, tensor] of made) if (read.has(value)) constants.set(value, tensor);
  const typed = new Map([...graph.values, ...values]);
  for (const value of made.keys()) typed.delete(value);
  return { ...graph, nodes, constants, values: typed };
}

/** Folds constants. */
export const foldConstantsPass = /* @__PURE__ */ definePlugin({
  kind: 'pass',
  id: 'fold-constants',
  about: 'Computes whatever does not depend on the inputs, shapes included, and stores it as constants.',
  options: {
    maxGrowth: {
      type: 'integer',
      default: defaultGrowth,
      min: 0,
      about: 'bytes by which one folded node may make the file larger',
    },
    dequantize: {
      type: 'boolean',
      default: false,
      about: 'whether quantized weights are turned back into floats',
    },
  },
  create: (options) => (graph) => foldConstants(graph, options),
});
