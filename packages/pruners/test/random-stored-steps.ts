import { floats, int, tensor } from '@espalier/core';
import { type NetTools, place, type Steps } from './net-tools.js';

/** Steps with weights in code, and with planes that are repeated for a batch of run time. */
export function storedSteps({ b, random, name, weight, list, pick, reshape }: NetTools): Steps {
  /** Codes of a weight with a scale and a zero point per output channel. */
  const coded = (...shape: number[]) => {
    const [channels] = shape as [number, ...number[]];
    const count = shape.reduce((product, dim) => product * dim, 1);
    const codes = Int8Array.from({ length: count }, () => random.below(201) - 100);
    const scales = Float32Array.from({ length: channels }, () => 0.002 + 0.004 * random.next());
    const zeros = Int8Array.from({ length: channels }, () => random.below(5) - 2);
    const tensors = [tensor('int8', shape, codes), floats(scales), tensor('int8', [channels], zeros)];
    const inputs = tensors.map((each) => b.constant(name(), each));
    return b.add('DequantizeLinear', inputs, { attributes: { axis: int(0) } });
  };
  return {
    quantized: (x) => {
      const grid = [floats([0.03], []), tensor('uint8', [], Uint8Array.of(120))].map((each) =>
        b.constant(name(), each),
      );
      const there = b.add('QuantizeLinear', [x.value, ...grid]);
      const channels = 2 + random.below(6);
      const inputs = [b.add('DequantizeLinear', [there, ...grid]), coded(channels, x.channels, 1, 1)];
      return { value: b.add('Conv', inputs), channels };
    },
    // As exporters write a group norm; without a shift, zeros stay zeros.
    groupNorm: (x) => {
      const groups = pick([...[2, 3, 4].filter((each) => x.channels % each === 0), 1]);
      if (groups === 1) return x;
      const flat = reshape(x.value, 2, groups, (x.channels / groups) * place * place);
      const vectors = [1, 0].map((each) => b.constant(name(), floats(new Float32Array(groups).fill(each))));
      const back = reshape(b.add('InstanceNormalization', [flat, ...vectors]), 2, x.channels, place, place);
      return { ...x, value: b.add('Mul', [back, weight(x.channels, 1, 1)]) };
    },
    repeated: (x) => {
      const batch = b.add('Gather', [b.add('Shape', [x.value]), list(0)]);
      const shape = b.add('Concat', [batch, list(x.channels, place, place)], { attributes: { axis: int(0) } });
      const plane = b.add('Expand', [weight(1, x.channels, place, place), shape]);
      return { ...x, value: b.add(pick(['Add', 'Mul']), [x.value, plane]) };
    },
  };
}
