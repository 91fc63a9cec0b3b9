import {
  type Attribute,
  buildGraph,
  createRandom,
  domainOf,
  floats,
  type Graph,
  isFloat,
  type Node,
  scalar,
  sizeOf,
  type Tensor,
  type ValueId,
} from '@espalier/core';
import { evaluateNode, inferShapes } from '@espalier/ops';
import { brokenContract } from './errors.js';

/** An input of an example: a weight or a list that is stored in the file, or a value that is computed. */
export type ExampleInput = { readonly constant: Tensor } | { readonly value: Tensor };

/** One use of a custom op. */
export interface AxisExample {
  readonly name: string;
  /** `undefined` for an optional input that is left out. */
  readonly inputs: readonly (ExampleInput | undefined)[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
}

/** A reference for an op: its outputs from its attributes and inputs. */
export type ReferenceOp = (node: Node, inputs: readonly (Tensor | undefined)[]) => readonly Tensor[];

/** A graph around one custom op whose results are sums of its outputs, weighted place by place. */
export interface ExampleGraph {
  readonly graph: Graph;
  readonly feeds: ReadonlyMap<ValueId, Tensor>;
  /** Constants that the op reads, or that its inputs are made of, by slot. */
  readonly sources: ReadonlyMap<ValueId, number>;
  /** Weights of the sums, by output. */
  readonly readers: ReadonlyMap<ValueId, number>;
}

/** Builds the graph: real values are constants times one, so that they can be cut; whole ones are inputs. */
export function exampleGraph(
  op: string,
  { inputs, attributes = {} }: AxisExample,
  reference: ReferenceOp,
): ExampleGraph {
  const opsets = new Map([
    ['', 17],
    [domainOf(op), 1],
  ]);
  const b = buildGraph({ inputs: [], outputs: [], nodes: [], opsets });
  const feeds = new Map<ValueId, Tensor>();
  const sources = new Map<ValueId, number>();
  const values = inputs.map((input, slot): ValueId | undefined => {
    if (!input) return undefined;
    const tensor = 'constant' in input ? input.constant : input.value;
    if ('value' in input && !isFloat(tensor.dtype)) {
      const value = b.input(`input${slot}`, tensor.dtype, tensor.shape);
      feeds.set(value, tensor);
      return value;
    }
    const source = b.constant(`input${slot}`, tensor);
    sources.set(source, slot);
    if ('constant' in input) return source;
    return b.add('Mul', [source, b.constant('one', scalar(1))], { name: `value${slot}` });
  });
  const node: Node = {
    id: 'example',
    op,
    inputs: values,
    outputs: [],
    attributes: new Map(Object.entries(attributes)),
  };
  const results = reference(
    node,
    inputs.map((input) => input && ('constant' in input ? input.constant : input.value)),
  );
  const outputs = b.addAll(op, values, { attributes, name: 'output', outputs: results.length });
  const readers = new Map<ValueId, number>();
  results.forEach(({ dtype, shape }, i) => {
    const output = b.info(outputs[i]!, { dtype, shape });
    if (!isFloat(dtype)) {
      b.output(output);
      return;
    }
    const random = createRandom(7 + i);
    const weights = Float32Array.from({ length: sizeOf(shape) }, () => random.normal());
    const reader = b.constant(`reader${i}`, floats(weights, shape));
    readers.set(reader, i);
    const sum = b.add('ReduceSum', [b.add('Mul', [output, reader])], {
      attributes: { keepdims: { kind: 'int', value: 0 } },
    });
    b.output(sum, `sum${i}`);
  });
  return { graph: inferShapes(b.finish()), feeds, sources, readers };
}

/** Runs such a graph. @throws KIT_FAILED where the reference gives another shape than the graph says. */
export function runExample(
  { feeds }: ExampleGraph,
  graph: Graph,
  { op, reference, where }: { readonly op: string; readonly reference: ReferenceOp; readonly where: string },
): ReadonlyMap<ValueId, Tensor> {
  const values = new Map<ValueId, Tensor>([...graph.constants, ...feeds]);
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((value) => (value === undefined ? undefined : values.get(value)));
    const results = node.op === op ? reference(node, inputs) : (evaluateNode(node, { inputs, opset: 17 }) ?? []);
    node.outputs.forEach((output, i) => {
      const made = results[i];
      if (output === undefined || !made) return;
      const told = graph.values.get(output)?.shape;
      if (node.op === op && told && told.join() !== made.shape.join()) {
        throw brokenContract(where, {
          expected: `output ${i} of [${told}], as its axes are related`,
          found: `[${made.shape}]`,
          fix: 'Relate the axes of the output to those it is made of, and rewrite what states their sizes.',
        });
      }
      values.set(output, made);
    });
  }
  return new Map(graph.outputs.flatMap((value) => (values.has(value) ? [[value, values.get(value)!]] : [])));
}
