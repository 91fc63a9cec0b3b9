import { type Graph, indexOf } from '@espalier/core';
import { inferShapes } from '@espalier/ops';

/**
 * The model with its first output alone; where that is a Softmax, what goes into it, so that losses read logits. The
 * order of the classes is the same.
 */
export function logitsOf(model: Graph): Graph {
  const [output] = model.outputs;
  const producer = output === undefined ? undefined : indexOf(model).producer.get(output);
  const input = producer?.op === 'Softmax' ? producer.inputs[0] : output;
  if (input === undefined || (input === output && model.outputs.length === 1)) return model;
  return inferShapes({ ...model, outputs: [input] });
}
