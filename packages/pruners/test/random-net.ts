import { createRandom, floats, type Graph, int, ints, longs, text } from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { type Feature, netTools, place, type Steps } from './net-tools.js';
import { storedSteps } from './random-stored-steps.js';
import { tokenSteps } from './random-token-steps.js';

/** Random networks, one step after the other; zeros stay zeros through all of them. */
export function randomNet(seed: number): Graph {
  const tools = netTools(createRandom(seed));
  const { b, random, weight, pick, reshape, transpose, name } = tools;
  const conv = (x: Feature, channels: number, groups = 1): Feature => {
    const inputs = [
      x.value,
      weight(channels, x.channels / groups, 3, 3),
      ...(random.below(2) ? [weight(channels)] : []),
    ];
    return {
      value: b.add('Conv', inputs, { attributes: { pads: ints([1, 1, 1, 1]), group: int(groups) } }),
      channels,
    };
  };
  const along1 = { axis: int(1) };

  const steps: Steps = {
    conv: (x) => conv(x, 2 * (2 + random.below(5))),
    depthwise: (x) => conv(x, x.channels * (1 + random.below(2)), x.channels),
    grouped: (x) => (x.channels % 2 ? conv(x, 8) : conv(x, x.channels, pick([2, x.channels / 2]))),
    activation: (x) => ({ ...x, value: b.add(pick(['Relu', 'Tanh', 'HardSwish', 'Neg']), [x.value]) }),
    norm: (x) => {
      const rest = [weight(x.channels), weight(x.channels), weight(x.channels)];
      const variance = b.constant(name(), floats(new Float32Array(x.channels).fill(0.8)));
      return { ...x, value: b.add('BatchNormalization', [x.value, ...rest, variance]) };
    },
    residual: (x, all) => {
      const other = all.filter(({ channels }) => channels === x.channels);
      return { ...x, value: b.add('Add', [x.value, pick(other).value]) };
    },
    concat: (x, all) => {
      const parts = [x, pick(all), ...(random.below(3) ? [] : [x])];
      const channels = parts.reduce((sum, each) => sum + each.channels, 0);
      if (channels > 48) return x;
      return {
        value: b.add(
          'Concat',
          parts.map(({ value }) => value),
          { attributes: along1 },
        ),
        channels,
      };
    },
    split: (x) => {
      const first = 1 + random.below(x.channels - 1);
      const sizes = b.constant(name(), longs([first, x.channels - first]));
      const [low, high] = b.addAll('Split', [x.value, sizes], { outputs: 2, attributes: along1 }) as [string, string];
      const left = conv({ value: low, channels: first }, 4);
      return { value: b.add('Concat', [high, left.value], { attributes: along1 }), channels: x.channels - first + 4 };
    },
    slice: (x) => {
      const from = random.below(x.channels - 1);
      const bounds = [[from], [x.channels], [1]].map((each) => b.constant(name(), longs(each)));
      return { value: b.add('Slice', [x.value, ...bounds]), channels: x.channels - from };
    },
    shuffle: (x) => {
      if (x.channels % 2) return x;
      const split = reshape(x.value, 2, 2, x.channels / 2, place, place);
      return { ...x, value: reshape(transpose(split, 0, 2, 1, 3, 4), 2, x.channels, place, place) };
    },
    pad: (x) => {
      const pads = b.constant(name(), longs([0, 1, 0, 0, 0, 2, 0, 0]));
      return { value: b.add('Pad', [x.value, pads]), channels: x.channels + 3 };
    },
    excite: (x) => {
      const pooled = b.add('GlobalAveragePool', [x.value]);
      const squeezed = b.add('Relu', [b.add('Conv', [pooled, weight(4, x.channels, 1, 1), weight(4)])]);
      const gate = b.add('Sigmoid', [b.add('Conv', [squeezed, weight(x.channels, 4, 1, 1)])]);
      return { ...x, value: b.add('Mul', [x.value, gate]) };
    },
    shared: (x) => {
      const kernel = weight(x.channels, x.channels, 1, 1);
      return { ...x, value: b.add('Conv', [b.add('Relu', [b.add('Conv', [x.value, kernel])]), kernel]) };
    },
    gated: (x) => ({ ...x, value: b.add('Mul', [conv(x, x.channels).value, conv(x, x.channels).value]) }),
    depthToSpace: (x) => {
      const deep = conv(x, 8);
      const wide = b.add('DepthToSpace', [deep.value], {
        attributes: { blocksize: int(2), mode: text(pick(['DCR', 'CRD'])) },
      });
      return {
        value: b.add('MaxPool', [wide], { attributes: { kernel_shape: ints([2, 2]), strides: ints([2, 2]) } }),
        channels: 2,
      };
    },
    ...tokenSteps(tools),
    ...storedSteps(tools),
  };

  const all: Feature[] = [conv({ value: b.input('x', 'float32', [2, 3, place, place]), channels: 3 }, 8)];
  for (let i = 0; i < 3 + random.below(10); i++) {
    const name = pick(Object.keys(steps));
    all.push(steps[name]!(random.below(4) ? all.at(-1)! : pick(all), all));
  }
  const last = all.at(-1)!;
  const flat = b.add('Flatten', [last.value]);
  const fc = [weight(3, last.channels * place * place), weight(3)];
  b.output(b.add('Gemm', [flat, ...fc], { attributes: { transB: int(1) } }), 'y');
  return inferShapes(b.finish());
}
