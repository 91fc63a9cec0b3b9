import { type Graph, intOf, type Node, sizeOf, type Tensor, type ValueId } from '@espalier/core';

/** A parameterized quantizer of a graph, with the names of its parameters. */
export interface Quantizer {
  readonly node: Node;
  /** The constant that it quantizes; undefined for an activation. */
  readonly weight?: ValueId;
  readonly step: ValueId;
  readonly limit: ValueId;
  readonly exponent?: ValueId;
  readonly signed: boolean;
  /** Elements of each parameter. */
  readonly channels: number;
  /** The weight as [outer, channels, inner]; 1 everywhere for an activation. */
  readonly inner: number;
}

/** The quantizers of a graph, in its order. */
export function quantizersOf(graph: Graph): readonly Quantizer[] {
  return graph.nodes
    .filter(({ op }) => op === 'espalier::ParameterizedQuantize')
    .map((node) => quantizerOf(graph, node));
}

function quantizerOf(graph: Graph, node: Node): Quantizer {
  const [data, step, limit, exponent] = node.inputs as readonly [ValueId, ValueId, ValueId, ValueId | undefined]; // its inputs
  const weight = graph.constants.get(data);
  const channels = sizeOf(graph.constants.get(step)!.shape);
  return {
    node,
    ...(weight ? { weight: data } : {}),
    step,
    limit,
    ...(exponent === undefined ? {} : { exponent }),
    signed: intOf(node, 'signed', 1) === 1,
    channels,
    inner: weight ? innerOf(weight, intOf(node, 'axis', 0)) : 1,
  };
}

const innerOf = ({ shape }: Tensor, axis: number): number =>
  sizeOf(shape.slice((axis < 0 ? axis + shape.length : axis) + 1));
