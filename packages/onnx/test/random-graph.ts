import {
  type Attribute,
  allocate,
  bytesFor,
  createGraph,
  type DType,
  dtypes,
  type Graph,
  type GraphFunction,
  type Node,
  type Random,
  sizeOf,
  storageLength,
  type Tensor,
  tensor,
  type ValueInfo,
  viewAs,
} from '@espalier/core';

const pick = <T>(random: Random, from: readonly T[]): T => from[random.below(from.length)]!;
const list = <T>(random: Random, most: number, make: (i: number) => T): T[] =>
  Array.from({ length: random.below(most + 1) }, (_, i) => make(i));
const words = ['a', 'gamma', 'größe', '权重', 'x/y:0', '🙂', 'with space'];

/** A tensor of a dtype with seeded bits. */
export function randomTensor(random: Random, dtype: DType = pick(random, dtypes)): Tensor {
  const shape = list(random, 3, () => random.below(4));
  const size = sizeOf(shape);
  if (dtype === 'string')
    return tensor(
      dtype,
      shape,
      Array.from({ length: size }, () => pick(random, words)),
    );
  if (size === 0) return tensor(dtype, shape, allocate(dtype, 0));
  const bytes = new Uint8Array(Math.ceil(bytesFor(dtype, size) / 8) * 8);
  // Bytes below 0x40 are numbers in every floating format, so that equality is bit equality.
  for (let i = 0; i < bytes.length; i++) bytes[i] = random.below(0x40);
  return tensor(dtype, shape, viewAs(dtype, bytes, storageLength(dtype, size)));
}

const randomInfo = (random: Random): ValueInfo => ({
  dtype: pick(random, dtypes),
  ...(random.next() < 0.8 ? { shape: list(random, 3, () => (random.next() < 0.5 ? random.below(9) : 'batch')) } : {}),
  ...(random.next() < 0.3
    ? {
        container: pick(random, [
          ['sequence'],
          ['optional', 'sequence'],
          ['sparse'],
          ['sequence', { mapFrom: 'int64' }],
        ]),
      }
    : {}),
});

const whole = (random: Random) => pick(random, [0, 1, -1, 300, -(2 ** 40), 2 ** 53 - 1, 2 ** 63, -(2 ** 63)]);
const real = (random: Random) => Math.fround(pick(random, [0, -0, 1.5, 1e-3, -7, Number.POSITIVE_INFINITY]));

function randomAttribute(random: Random, depth: number): Attribute {
  const makers: readonly (() => Attribute)[] = [
    () => ({ kind: 'int', value: whole(random) }),
    () => ({ kind: 'float', value: real(random) }),
    () => ({ kind: 'text', value: pick(random, words) }),
    () => ({ kind: 'bytes', value: Uint8Array.of(0xff, random.below(256)) }),
    () => ({ kind: 'ints', value: list(random, 4, () => whole(random)) }),
    () => ({ kind: 'floats', value: list(random, 4, () => real(random)) }),
    () => ({ kind: 'texts', value: list(random, 3, () => pick(random, words)) }),
    () => ({ kind: 'tensor', value: randomTensor(random) }),
    () => ({ kind: 'tensors', value: list(random, 2, () => randomTensor(random)) }),
    () => ({ kind: 'type', value: randomInfo(random) }),
    () => ({ kind: 'types', value: list(random, 2, () => randomInfo(random)) }),
    () => ({ kind: 'reference', value: 'outer', of: pick(random, ['int', 'floats', 'tensor', 'graph'] as const) }),
    () => ({ kind: 'graph', value: randomBody(random, depth) }),
    () => ({ kind: 'graphs', value: list(random, 2, () => randomBody(random, depth)) }),
  ];
  return pick(random, depth > 0 ? makers : makers.slice(0, -2))();
}

function randomNodes(random: Random, inputs: readonly string[], { depth, prefix }: { depth: number; prefix: string }) {
  const known = [...inputs];
  const nodes: Node[] = [];
  for (let i = 0; i < 1 + random.below(4); i++) {
    const outputs = [`${prefix}${i}`, ...(random.next() < 0.3 ? [undefined, `${prefix}${i}b`] : [])];
    nodes.push({
      id: `node ${i}`,
      op: pick(random, ['Add', 'If', 'com.microsoft::Thing', 'a.b::C::D', '::odd::name']),
      inputs: list(random, 3, () => (random.next() < 0.2 ? undefined : pick(random, known))),
      outputs,
      attributes: new Map(list(random, 4, (j) => [`attribute${j}`, randomAttribute(random, depth - 1)] as const)),
      ...(random.next() < 0.3 ? { doc: pick(random, words) } : {}),
      ...(random.next() < 0.3 ? { metadata: new Map([['key', pick(random, words)]]) } : {}),
      ...(random.next() < 0.3 ? { overload: 'second' } : {}),
    });
    for (const output of outputs) if (output !== undefined) known.push(output);
  }
  return { nodes, known };
}

let bodies = 0;

function randomBody(random: Random, depth: number): Graph {
  const prefix = `body${bodies++}_`;
  const inputs = list(random, 2, (i) => `${prefix}in${i}`);
  const constants = new Map(list(random, 2, (i) => [`${prefix}c${i}`, randomTensor(random)] as const));
  const seed = [...inputs, ...constants.keys()];
  const { nodes, known } = randomNodes(random, seed.length > 0 ? seed : ['x'], { depth, prefix });
  return {
    ...createGraph({ name: prefix, inputs, outputs: [known.at(-1)!], nodes, constants, opsets: new Map() }),
    values: new Map([[known.at(-1)!, randomInfo(random)]]),
  };
}

function randomFunction(random: Random, index: number): GraphFunction {
  const { nodes, known } = randomNodes(random, ['fx'], { depth: 1, prefix: 'f' });
  return {
    op: `my.domain::Function${index}`,
    ...(random.next() < 0.5 ? { overload: 'first' } : {}),
    inputs: ['fx'],
    outputs: [known.at(-1)!],
    parameters: list(random, 2, (i) => `parameter${i}`),
    defaults: new Map([['alpha', { kind: 'float', value: 0.5 }]]),
    nodes,
    values: new Map([['fx', randomInfo(random)]]),
    opsets: new Map([['', 21]]),
    ...(random.next() < 0.5 ? { doc: 'a function', metadata: new Map([['a', 'b']]) } : {}),
  };
}

/** A small well-formed graph that uses every kind of attribute and every dtype over the seeds. */
export function randomGraph(random: Random): Graph {
  bodies = 0;
  const constants = new Map(list(random, 4, (i) => [`constant ${i}`, randomTensor(random)] as const));
  const inputs = ['x', 'y'];
  const { nodes, known } = randomNodes(random, [...inputs, ...constants.keys()], { depth: 2, prefix: 'v' });
  const typed = [...inputs, ...nodes.flatMap((node) => node.outputs)].filter((value) => value !== undefined);
  return createGraph({
    name: pick(random, words),
    inputs,
    outputs: [...new Set([known.at(-1)!, pick(random, known)])],
    nodes,
    constants,
    values: new Map(typed.map((value) => [value, randomInfo(random)] as const)),
    opsets: new Map([
      ['', 7 + random.below(19)],
      ['com.microsoft', 1],
    ]),
    functions: list(random, 2, (i) => randomFunction(random, i)),
    // The newest version, as older ones are raised to what the graph needs.
    provenance: {
      irVersion: 13,
      producer: pick(random, words),
      producerVersion: '1',
      domain: 'd',
      modelVersion: whole(random),
      doc: 'about',
      metadata: new Map([['k', 'v']]),
    },
    doc: pick(random, words),
    metadata: new Map([['graph', 'too']]),
  });
}
