import { buildGraph, createRandom, floats, type Graph, int, ints, longs, text } from '@espalier/core';
import { inferShapes } from '@espalier/passes';

/** An image-like value of a random net: [2, channels, 4, 4]. */
interface Feature {
  readonly value: string;
  readonly channels: number;
}

const place = 4;

/** Random networks, one step after the other; zeros stay zeros through all of them. */
export function randomNet(seed: number): Graph {
  const random = createRandom(seed);
  const b = buildGraph();
  let made = 0;
  const weight = (...shape: number[]) => {
    const count = shape.reduce((product, dim) => product * dim, 1);
    const spread = 1.5 / Math.sqrt(Math.max(1, count / shape[0]!));
    const values = Float32Array.from({ length: count }, () => (random.next() - 0.5) * 2 * spread);
    return b.constant(`w${made++}`, floats(values, shape));
  };
  const pick = <T>(list: readonly T[]): T => list[random.below(list.length)]!;
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
  const reshape = (x: string, ...shape: number[]) => b.add('Reshape', [x, b.constant(`s${made++}`, longs(shape))]);
  const transpose = (x: string, ...perm: number[]) => b.add('Transpose', [x], { attributes: { perm: ints(perm) } });
  const along1 = { axis: int(1) };

  const steps: Readonly<Record<string, (x: Feature, all: readonly Feature[]) => Feature>> = {
    conv: (x) => conv(x, 2 * (2 + random.below(5))),
    depthwise: (x) => conv(x, x.channels * (1 + random.below(2)), x.channels),
    grouped: (x) => (x.channels % 2 ? conv(x, 8) : conv(x, x.channels, pick([2, x.channels / 2]))),
    activation: (x) => ({ ...x, value: b.add(pick(['Relu', 'Tanh', 'HardSwish', 'Neg']), [x.value]) }),
    norm: (x) => {
      const rest = [weight(x.channels), weight(x.channels), weight(x.channels)];
      const variance = b.constant(`v${made++}`, floats(new Float32Array(x.channels).fill(0.8)));
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
      const sizes = b.constant(`s${made++}`, longs([first, x.channels - first]));
      const [low, high] = b.addAll('Split', [x.value, sizes], { outputs: 2, attributes: along1 }) as [string, string];
      const left = conv({ value: low, channels: first }, 4);
      return { value: b.add('Concat', [high, left.value], { attributes: along1 }), channels: x.channels - first + 4 };
    },
    slice: (x) => {
      const from = random.below(x.channels - 1);
      const bounds = [[from], [x.channels], [1]].map((each) => b.constant(`s${made++}`, longs(each)));
      return { value: b.add('Slice', [x.value, ...bounds]), channels: x.channels - from };
    },
    shuffle: (x) => {
      if (x.channels % 2) return x;
      const split = reshape(x.value, 2, 2, x.channels / 2, place, place);
      return { ...x, value: reshape(transpose(split, 0, 2, 1, 3, 4), 2, x.channels, place, place) };
    },
    pad: (x) => {
      const pads = b.constant(`s${made++}`, longs([0, 1, 0, 0, 0, 2, 0, 0]));
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
    attention: (x) => {
      const [heads, dims] = [pick([2, 3]), pick([2, 4])];
      const width = heads * dims;
      const tokens = transpose(reshape(x.value, 2, x.channels, place * place), 0, 2, 1);
      const part = (): string =>
        transpose(
          reshape(
            b.add('Add', [b.add('MatMul', [tokens, weight(x.channels, width)]), weight(width)]),
            2,
            -1,
            heads,
            dims,
          ),
          0,
          2,
          1,
          3,
        );
      const scores = b.add('MatMul', [part(), transpose(part(), 0, 1, 3, 2)]);
      const mixed = b.add('MatMul', [b.add('Softmax', [scores], { attributes: { axis: int(-1) } }), part()]);
      const merged = reshape(transpose(mixed, 0, 2, 1, 3), 2, -1, width);
      const out = transpose(b.add('MatMul', [merged, weight(width, x.channels)]), 0, 2, 1);
      return { ...x, value: b.add('Add', [x.value, reshape(out, 2, x.channels, place, place)]) };
    },
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
