import { didYouMean, type EspalierError, type Graph, type Node, problem } from '@espalier/core';

const where = (node: Node) => `node "${node.id}" (${node.op})`;

/** An op that no rule differentiates, on the way from the loss to what was asked for. */
export const notDifferentiable = (node: Node, reason: string): EspalierError =>
  problem('AUTODIFF_OP', {
    where: where(node),
    expected: 'an op with a derivative between the loss and the parameters',
    found: reason,
    fix: 'Freeze the parameters in front of this node, or replace the op.',
    details: { node: node.id, op: node.op },
  });

/** A shape that a rule needs and shape inference did not find. */
export const unknownShape = (node: Node, value: string): EspalierError =>
  problem('AUTODIFF_SHAPE', {
    where: where(node),
    expected: `a known shape of "${value}"`,
    found: 'none',
    fix: 'Fix the input sizes with setInputShapes, so that shapes can be inferred.',
  });

/** A form of an op that its rule does not cover. */
export const unsupportedForm = (node: Node, expected: string, found: string): EspalierError =>
  problem('AUTODIFF_FORM', { where: where(node), expected, found });

/** An input that a rule needs and the node leaves out. */
export const missingInput = (node: Node, slot: number): EspalierError =>
  problem('AUTODIFF_INPUT', { where: where(node), expected: `input ${slot}`, found: 'none' });

/** Something that is not float32, where training computes in float32. */
export const wrongDtype = (where: string, found: string): EspalierError =>
  problem('AUTODIFF_DTYPE', {
    where,
    expected: 'float32',
    found,
    fix: 'Train the float32 model and convert or quantize it afterwards.',
  });

/** An output that the graph does not have. */
export const unknownOutput = (graph: Graph, found: string | undefined): EspalierError =>
  problem('AUTODIFF_LOSS', {
    where: `graph "${graph.name}"`,
    expected: `one of its outputs ${graph.outputs.join(', ')}`,
    found: found === undefined ? 'none' : `"${found}"`,
    fix: didYouMean(found ?? '', graph.outputs).trim(),
  });

/** Nothing to train. */
export const noParameters = (graph: Graph, known: number): EspalierError =>
  problem('AUTODIFF_PARAMETER', {
    where: `graph "${graph.name}"`,
    expected: 'at least one trainable parameter',
    found: known === 0 ? 'no float constants that a layer multiplies by or adds' : `${known}, none of them chosen`,
    fix:
      known === 0
        ? 'A quantized model is trained before it is quantized.'
        : 'Let `trainable` accept some of the names of parametersOf.',
  });

/** A mask for what is no trained parameter. */
export const unknownMask = (name: string, names: readonly string[]): EspalierError =>
  problem('AUTODIFF_PARAMETER', {
    where: `mask "${name}"`,
    expected: 'the name of a trained parameter',
    found: `"${name}"`,
    fix: didYouMean(name, names).trim(),
  });

/** A shape that is not known, outside of any node. */
export const unknownShapeOf = (value: string): EspalierError =>
  problem('AUTODIFF_SHAPE', {
    where: `value "${value}"`,
    expected: 'a known shape',
    found: 'none',
    fix: 'Fix the input sizes with setInputShapes, so that shapes can be inferred.',
  });

/** A further input that a loss was built without. */
export const missingLossInput = (where: string, input: string): EspalierError =>
  problem('AUTODIFF_LOSS', {
    where,
    expected: `an input "${input}"`,
    found: 'none',
    fix: 'Build it through trainingStep, which adds the inputs of a loss.',
  });

/** A number outside of what an option takes. */
export const outOfRange = (
  name: string,
  found: number,
  { least, most }: { readonly least: number; readonly most: number },
): EspalierError =>
  problem('OPTION_INVALID', {
    where: `training step, option "${name}"`,
    expected: most === Number.MAX_VALUE ? 'a finite number above 0' : `a number from ${least} to ${most}`,
    found: `${found}`,
    details: { value: found },
  });
