import { type EspalierError, type Node, problem } from '@espalier/core';

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
