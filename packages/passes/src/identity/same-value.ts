import {
  type Dim,
  type Graph,
  indexOf,
  intsOf,
  type Node,
  opsetOf,
  sizeOf,
  type Tensor,
  tensorInfo,
  textOf,
  toNumbers,
  type ValueId,
} from '@espalier/core';
import { castTarget, wholeNumbersOf } from '@espalier/ops';
import { passesThrough } from '../affine/reach.js';

/** The value that a node's first output equals, when it equals one of its inputs, or an ancestor of the same shape. */
type Rule = (graph: Graph, node: Node) => ValueId | undefined;

const shapeOf = (graph: Graph, value: ValueId | undefined): readonly Dim[] | undefined =>
  value === undefined ? undefined : tensorInfo(graph, value)?.shape;

const constantOf = (graph: Graph, value: ValueId | undefined): Tensor | undefined =>
  value === undefined ? undefined : graph.constants.get(value);

/** Equal names are equal sizes, so named dimensions compare like numbers. */
const equalShapes = (a: readonly Dim[] | undefined, b: readonly Dim[] | undefined): boolean =>
  a !== undefined && b !== undefined && a.length === b.length && a.every((dim, i) => dim === b[i]);

const unchanged: Rule = (graph, node) =>
  equalShapes(shapeOf(graph, node.inputs[0]), shapeOf(graph, node.outputs[0])) ? node.inputs[0] : undefined;

const throughNode: Rule = (graph, node) => (passesThrough(graph, node) ? node.inputs[0] : undefined);

const onlyInput: Rule = (_, node) => (node.inputs.length === 1 ? node.inputs[0] : undefined);

const reshapes = new Set(['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze']);
const mostHops = 16;

/** A chain of reshapes that ends in the shape it began with. */
const reshape: Rule = (graph, node) => {
  const target = shapeOf(graph, node.outputs[0]);
  let value = node.inputs[0];
  for (let hops = 0; target && value !== undefined && hops < mostHops; hops++) {
    if (equalShapes(shapeOf(graph, value), target)) return value;
    const maker = indexOf(graph).producer.get(value);
    if (!maker || !reshapes.has(maker.op)) return undefined;
    value = maker.inputs[0];
  }
  return undefined;
};

const cast: Rule = (graph, node) => {
  const from = node.inputs[0] === undefined ? undefined : tensorInfo(graph, node.inputs[0])?.dtype;
  const like = node.inputs[1] === undefined ? undefined : tensorInfo(graph, node.inputs[1])?.dtype;
  return from !== undefined && from === (node.op === 'Cast' ? castTarget(node) : like) ? node.inputs[0] : undefined;
};

/** The order of axes that a Transpose gives, reversed when not said; undefined without a known rank. */
export function permOf(graph: Graph, node: Node): readonly number[] | undefined {
  const rank = shapeOf(graph, node.inputs[0])?.length;
  return (
    intsOf(node, 'perm', undefined) ??
    (rank === undefined ? undefined : Array.from({ length: rank }, (_, i) => rank - 1 - i))
  );
}

const transpose: Rule = (graph, node) => {
  const perm = permOf(graph, node);
  const input = node.inputs[0];
  if (!perm || input === undefined) return undefined;
  if (perm.every((axis, i) => axis === i)) return input;
  const maker = indexOf(graph).producer.get(input);
  const before = maker?.op === 'Transpose' ? permOf(graph, maker) : undefined;
  return before?.length === perm.length && perm.every((axis, i) => before[axis] === i) ? maker?.inputs[0] : undefined;
};

/** Slice going forward, and Pad, change nothing when they change no size; Pad could still shift. */
const slice: Rule = (graph, node) => {
  const steps = node.inputs[4] === undefined ? [1] : wholeNumbersOf(constantOf(graph, node.inputs[4]));
  return steps?.every((step) => step > 0) ? unchanged(graph, node) : undefined;
};

const pad: Rule = (graph, node) => {
  const pads =
    node.inputs[1] === undefined ? intsOf(node, 'pads', undefined) : wholeNumbersOf(constantOf(graph, node.inputs[1]));
  return pads?.every((each) => each === 0) ? node.inputs[0] : undefined;
};

/** Resize by 1 in every direction samples each pixel at its own place, whatever the mode. */
const resize: Rule = (graph, node) =>
  textOf(node, 'coordinate_transformation_mode', 'half_pixel') === 'tf_crop_and_resize' ||
  textOf(node, 'keep_aspect_ratio_policy', 'stretch') !== 'stretch' ||
  !onesOrAbsent(graph, node.inputs[2])
    ? undefined
    : unchanged(graph, node);

const onesOrAbsent = (graph: Graph, value: ValueId | undefined): boolean => {
  const scales = constantOf(graph, value);
  return value === undefined || (scales !== undefined && toNumbers(scales).every((each) => each === 1));
};

/** An operand that is `neutral` throughout leaves the other one, if it does not broadcast it to a new shape. */
const neutral =
  (number: number, { eitherSide }: { eitherSide: boolean }): Rule =>
  (graph, node) => {
    for (const slot of eitherSide ? [1, 0] : [1]) {
      const other = node.inputs[1 - slot];
      const constant = constantOf(graph, node.inputs[slot]);
      if (!constant || other === undefined || !holdsOnly(constant, number)) continue;
      const keepsShape =
        constant.shape.length === 0 || equalShapes(shapeOf(graph, other), shapeOf(graph, node.outputs[0]));
      const fitsRank = constant.shape.length <= (shapeOf(graph, other)?.length ?? 0) && sizeOf(constant.shape) === 1;
      if (keepsShape || fitsRank) return other;
    }
    return undefined;
  };

function holdsOnly(constant: Tensor, number: number): boolean {
  const { dtype, data } = constant;
  if (dtype === 'float32' || dtype === 'float64' || dtype === 'int32') {
    for (let i = 0; i < data.length; i++) if (data[i] !== number) return false;
    return data.length > 0;
  }
  if (dtype === 'int64') return data.length > 0 && data.every((each) => each === BigInt(number));
  return dtype === 'float16' && data.length > 0 && toNumbers(constant).every((each) => each === number);
}

const repeated =
  (op: string): Rule =>
  (graph, node) =>
    indexOf(graph).producer.get(node.inputs[0] ?? '')?.op === op ? node.inputs[0] : undefined;

const rules: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['Identity', throughNode],
  ['Dropout', throughNode],
  ['Cast', cast],
  ['CastLike', cast],
  ['Reshape', reshape],
  ['Flatten', reshape],
  ['Squeeze', reshape],
  ['Unsqueeze', reshape],
  ['Transpose', transpose],
  ['Expand', unchanged],
  ['Tile', unchanged],
  ['Slice', slice],
  ['Pad', pad],
  ['Resize', resize],
  ['Upsample', unchanged],
  ['Concat', onlyInput],
  ['Sum', onlyInput],
  ['Mean', onlyInput],
  ['Max', onlyInput],
  ['Min', onlyInput],
  ['Split', (_, node) => (node.outputs.length === 1 ? node.inputs[0] : undefined)],
  ['Relu', repeated('Relu')],
  ['Mul', neutral(1, { eitherSide: true })],
  ['Div', neutral(1, { eitherSide: false })],
  ['Pow', neutral(1, { eitherSide: false })],
  ['Add', neutral(0, { eitherSide: true })],
  ['Sub', neutral(0, { eitherSide: false })],
]);

/** The value that the node's only output equals; undefined when it may differ from all of them. */
export function sameValue(graph: Graph, node: Node): ValueId | undefined {
  if (opsetOf(graph) === 0 || node.outputs.slice(1).some((value) => value !== undefined)) return undefined;
  return rules.get(node.op)?.(graph, node);
}
