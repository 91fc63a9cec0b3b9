import { createNode, int, type Node, type Tensor, tensor, toFloats, type ValueId } from '@espalier/core';
import type { NodeWriting } from '../node-by-node.js';
import type { GraphWriter } from '../quantized-graph.js';
import type { StoredWeights } from '../stored-weights.js';
import type { DynamicSettings } from './dynamic-settings.js';

/** The state that the op families of the dynamic quantizer share while they write. */
export interface DynamicWriting extends NodeWriting {
  readonly settings: DynamicSettings;
  readonly stored: StoredWeights;
  /** Activations quantized so far. */
  readonly activations: Map<ValueId, Activation>;
}

/** A quantized activation: integers, scale and zero point, computed at run time. */
export interface Activation {
  readonly integers: ValueId;
  readonly scale: ValueId;
  readonly zeroPoint: ValueId;
}

/** The activation on uint8, quantized over its own range at each run; once for all its readers. */
export function quantizedActivation({ writer, activations }: DynamicWriting, value: ValueId): Activation {
  let found = activations.get(value);
  if (!found) {
    found = {
      integers: writer.fresh(`${value}_quantized`),
      scale: writer.fresh(`${value}_scale`),
      zeroPoint: writer.fresh(`${value}_zero_point`),
    };
    activations.set(value, found);
    writer.info(found.integers, { dtype: 'uint8' });
    writer.info(found.scale, { dtype: 'float32', shape: [] });
    writer.info(found.zeroPoint, { dtype: 'uint8', shape: [] });
    writer.emit(
      createNode({
        id: writer.fresh(`${value}_DynamicQuantizeLinear`),
        op: 'DynamicQuantizeLinear',
        inputs: [value],
        outputs: [found.integers, found.scale, found.zeroPoint],
      }),
    );
  }
  return found;
}

/** Names for the restoring of int32 sums. */
export interface Restoring {
  readonly sums: ValueId;
  readonly activation: Activation;
  readonly weightScale: ValueId;
  readonly output: ValueId;
}

/** float = int32 sums * (activation scale * weight scale), in the order that runtimes recognise. */
export function restoreSums(
  writer: GraphWriter,
  { sums, activation, weightScale, output }: Restoring,
): readonly Node[] {
  const cast = writer.fresh(`${output}_cast`);
  const scales = writer.fresh(`${output}_scales`);
  return [
    createNode({
      id: writer.fresh(`${output}_Cast`),
      op: 'Cast',
      inputs: [sums],
      outputs: [cast],
      attributes: { to: int(1) },
    }),
    createNode({
      id: writer.fresh(`${output}_Mul_scales`),
      op: 'Mul',
      inputs: [activation.scale, weightScale],
      outputs: [scales],
    }),
    createNode({ id: writer.fresh(`${output}_Mul`), op: 'Mul', inputs: [cast, scales], outputs: [output] }),
  ];
}

/** A constant bias times a factor, in a shape that adds to the output; other biases by their own name. */
export function biasOperand(
  { graph, writer, replaced }: DynamicWriting,
  { value, factor, shape }: { readonly value: ValueId; readonly factor: number; readonly shape?: readonly number[] },
): ValueId {
  const bias = graph.constants.get(value);
  if (!bias || (factor === 1 && shape === undefined)) return value;
  const values = toFloats(bias);
  const scaled: Tensor = tensor(
    'float32',
    shape ?? bias.shape,
    factor === 1 ? values : values.map((each) => each * factor),
  );
  replaced.add(value);
  return writer.constant(`${value}_added`, scaled);
}
