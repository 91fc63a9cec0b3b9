import { didYouMean, editGraph, type Graph, indexOf, problem, type Tensor, type ValueId } from '@espalier/core';
import { removeDeadNodes } from '@espalier/passes';
import { ownConstants } from './own-constants.js';

/**
 * The inference graph with trained constants in their places: parameters and running statistics by the names that
 * `trainingStep` gives them. A value that the graph computes from constants (a transposed weight) becomes a constant.
 * @throws AUTODIFF_PARAMETER on a name that is no constant and no such value, or a tensor of another shape or dtype.
 */
export function withParameters(graph: Graph, values: ReadonlyMap<string, Tensor>): Graph {
  const own = ownConstants(graph);
  const draft = editGraph(own);
  let computed = false;
  for (const [name, tensor] of values) {
    const before = own.constants.get(name);
    const producer = indexOf(own).producer.get(name);
    if (before) checkSame(name, before, tensor);
    else if (producer?.outputs.length === 1 && isComputed(own, name)) {
      draft.replace(producer.id);
      computed = true;
    } else throw unknownParameter(own, name);
    draft.setConstant(name, tensor);
  }
  const result = draft.finish();
  return computed ? removeDeadNodes(result) : result;
}

/** Whether a value depends on constants alone. */
function isComputed(graph: Graph, value: ValueId): boolean {
  const open = [value];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (graph.constants.has(next)) continue;
    const producer = indexOf(graph).producer.get(next);
    if (!producer) return false;
    for (const each of producer.inputs) if (each !== undefined) open.push(each);
  }
  return true;
}

function checkSame(name: string, before: Tensor, { dtype, shape }: Tensor): void {
  if (before.dtype === dtype && before.shape.join() === shape.join()) return;
  throw problem('AUTODIFF_PARAMETER', {
    where: `parameter "${name}"`,
    expected: `${before.dtype}[${before.shape.join(', ')}]`,
    found: `${dtype}[${shape.join(', ')}]`,
  });
}

const unknownParameter = (graph: Graph, name: string) =>
  problem('AUTODIFF_PARAMETER', {
    where: `parameter "${name}"`,
    expected: 'a constant of the graph, or a value computed from constants',
    found: 'neither',
    fix: `${didYouMean(name, [...graph.constants.keys()])}Give the graph that the training step was made of.`,
  });
