import { type EspalierError, type Node, problem } from '@espalier/core';

/** A pass that kept changing the graph beyond the limit of rounds. */
export const passUnstable = (pass: string, limit: number): EspalierError =>
  problem('PASS_UNSTABLE', {
    where: `pass "${pass}"`,
    expected: `a graph that stops changing within ${limit} rounds`,
    found: 'still a new graph after the last round',
    fix: 'A pass must return the very same object when it has nothing to do; two rules may be undoing each other.',
    details: { pass, limit },
  });

/** A node that cannot be written in the wanted operator set with the same meaning. */
export const opsetRefused = (node: Node, { version, found }: { version: number; found: string }): EspalierError =>
  problem('PASS_OPSET', {
    where: `node "${node.id}" (${node.op})`,
    expected: `a form with the same meaning in opset ${version}`,
    found,
    fix: 'Export the model again in a newer opset, or stay below the version that changed this op.',
    details: { node: node.id, op: node.op, version },
  });

/** A node with a part that the older operator set does not have. */
export const opsetTooOld = (node: Node, { version, found }: { version: number; found: string }): EspalierError =>
  problem('PASS_OPSET', {
    where: `node "${node.id}" (${node.op})`,
    expected: `a form that opset ${version} has`,
    found,
    fix: 'Export the model again in an older opset, or use a runtime that loads this one.',
    details: { node: node.id, op: node.op, version },
  });

/** An operator set that the converter does not reach. */
export const opsetOutOfReach = (from: number, { to, expected }: { to: number; expected: string }): EspalierError =>
  problem('PASS_OPSET', {
    where: `opset ${from} to ${to}`,
    expected,
    found: `version ${from} converted to ${to}`,
    fix: 'Ask for a version in that range.',
    details: { from, to },
  });

/** A custom op whose attributes or inputs make no sense. */
export const loweringRefused = (node: Node, { expected, found }: { expected: string; found: string }): EspalierError =>
  problem('PASS_LOWERING', {
    where: `node "${node.id}" (${node.op})`,
    expected,
    found,
    fix: 'Correct the node, or lower it with a pass of your own first.',
    details: { node: node.id, op: node.op },
  });
