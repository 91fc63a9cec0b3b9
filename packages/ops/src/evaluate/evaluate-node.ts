import { type Node, type Tensor, tensor } from '@espalier/core';
import type { OpName } from '../op-names.js';
import { binaryEvaluators, where } from './binary.js';
import { castEvaluators } from './cast.js';
import { createEvaluators } from './create.js';
import { evaluatedForms } from './evaluated-forms.js';
import type { Call, Evaluator } from './evaluator.js';
import { extendEvaluators } from './extend.js';
import { gatherEvaluators } from './gather.js';
import { matMulEvaluators } from './matmul.js';
import { beyondForm, type OpForm } from './op-form.js';
import { quantizeEvaluators } from './quantize.js';
import { reduceEvaluators, searchEvaluators } from './reduce.js';
import { reshapeEvaluators, transposeEvaluator } from './reshape.js';
import { slice, split, trilu } from './slice.js';
import { isMovable } from './strided.js';
import { clip, unaryEvaluators } from './unary.js';

/** Every op that can be computed on the host, in the default ONNX domain. */
export const evaluators = {
  ...createEvaluators,
  ...reshapeEvaluators,
  ...gatherEvaluators,
  ...extendEvaluators,
  ...castEvaluators,
  ...unaryEvaluators,
  ...binaryEvaluators,
  ...reduceEvaluators,
  ...searchEvaluators,
  ...matMulEvaluators,
  ...quantizeEvaluators,
  Transpose: transposeEvaluator,
  Slice: slice,
  Split: split,
  Trilu: trilu,
  Clip: clip,
  Where: where,
} satisfies Partial<Record<OpName, Evaluator>>;

/** The name of an op that can be computed on the host. */
export type EvaluatedOp = keyof typeof evaluators;

// A Map, because op names come from files and must not find properties of Object.
const byName: ReadonlyMap<string, Evaluator> = new Map(Object.entries(evaluators));

// An evaluator without its form does not compile.
const everyForm: Readonly<Record<EvaluatedOp, OpForm>> = evaluatedForms;
const formByName: ReadonlyMap<string, OpForm> = new Map(Object.entries(everyForm));

/** The part of an op that is computed on the host; undefined for ops that are not. */
export const evaluatedForm = (op: string): OpForm | undefined => formByName.get(op);

/** Ops whose evaluators read packed elements themselves, or never look at elements at all. */
const anyStorage = new Set<string>([
  ...Object.keys(reshapeEvaluators),
  ...Object.keys(quantizeEvaluators),
  'Constant',
  'Shape',
  'Size',
]);

/** Whether an op is in the table. */
export const isEvaluated = (op: string): op is EvaluatedOp => byName.has(op);

/**
 * A node's outputs computed on the host with exact ONNX semantics: integers bit for bit, floats computed in float64
 * and rounded to their dtype once. Undefined where the op, a dtype, a form or the size is not covered: leave the node.
 */
export function evaluateNode(
  node: Node,
  { inputs, opset, maxBytes = Number.POSITIVE_INFINITY }: Omit<Partial<Call>, 'node'> & Pick<Call, 'inputs' | 'opset'>,
): readonly Tensor[] | undefined {
  const evaluator = byName.get(node.op);
  const form = formByName.get(node.op);
  if (!evaluator || !form || beyondForm(form, node, inputs[0]?.dtype)) return undefined;
  if (!anyStorage.has(node.op) && inputs.some((each) => each && !isMovable(each.dtype))) return undefined;
  return evaluator({ node, inputs, opset, maxBytes })?.map(({ dtype, shape, data }) => tensor(dtype, shape, data));
}
