import { type Graph, indexOf, isFloat, type Node, sizeOf, type Tensor, type ValueId } from '@espalier/core';

/** What a parameter does in its layer; weight decay acts on weights alone by default. */
export type ParameterRole = 'weight' | 'bias' | 'norm' | 'quantizer';

/** A trainable constant. */
export interface Parameter {
  readonly value: ValueId;
  readonly role: ParameterRole;
  readonly tensor: Tensor;
  /** The node that reads it first. */
  readonly node: Node;
}

const weightAndBias: readonly (ParameterRole | undefined)[] = [undefined, 'weight', 'bias'];
const scaleAndShift: readonly (ParameterRole | undefined)[] = [undefined, 'norm', 'norm'];

/** Which inputs of an op are parameters when they are constants. */
const roles: ReadonlyMap<string, readonly (ParameterRole | undefined)[]> = new Map([
  ['Conv', weightAndBias],
  ['ConvTranspose', weightAndBias],
  ['Gemm', ['weight', 'weight', 'bias']],
  ['MatMul', ['weight', 'weight']],
  ['Gather', ['weight']],
  ['BatchNormalization', scaleAndShift],
  ['espalier::BatchNormTraining', scaleAndShift],
  ['LayerNormalization', scaleAndShift],
  ['InstanceNormalization', scaleAndShift],
  ['GroupNormalization', scaleAndShift],
  ['PRelu', [undefined, 'norm']],
  ['Add', ['bias', 'bias']],
  ['Mul', ['norm', 'norm']],
  ['espalier::FakeQuantize', ['weight', 'quantizer']],
]);

/**
 * The constants of a graph that training may move: weights, biases, scales and shifts of norms, embeddings, and the
 * scales of fake-quantizers; float, of rank 1 or more (scales may be single numbers). Constants that are added to or
 * multiplied with the graph's own inputs (normalisation of images), single numbers, and masks (entries of -10000 and
 * below) are not parameters. In the order in which nodes read them.
 */
export function parametersOf(graph: Graph): readonly Parameter[] {
  const found = new Map<ValueId, Parameter>();
  for (const node of graph.nodes) {
    roles.get(node.op)?.forEach((role, slot) => {
      const value = node.inputs[slot];
      const tensor = value === undefined ? undefined : graph.constants.get(value);
      if (role === undefined || value === undefined || !tensor || found.has(value) || !isFloat(tensor.dtype)) return;
      if (isParameter(graph, node, { slot, role, tensor })) found.set(value, { value, role, tensor, node });
    });
  }
  return [...found.values()];
}

function isParameter(
  graph: Graph,
  node: Node,
  { slot, role, tensor }: { readonly slot: number; readonly role: ParameterRole; readonly tensor: Tensor },
): boolean {
  if (role === 'quantizer') return true;
  if (tensor.shape.length === 0) return false;
  if (node.op !== 'Add' && node.op !== 'Mul') return true;
  const other = node.inputs[1 - slot];
  const onInput = other !== undefined && graph.inputs.includes(other);
  return !onInput && sizeOf(tensor.shape) > 1 && indexOf(graph).producer.has(other ?? '') && !isMask(tensor);
}

const isMask = ({ dtype, data }: Tensor): boolean => dtype === 'float32' && data.some((each) => each <= -1e4);
