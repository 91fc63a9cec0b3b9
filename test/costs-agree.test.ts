import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { costsOf, inspectGraph } from '@espalier/analysis';
import {
  type Attribute,
  type AxisPort,
  type AxisRule,
  type AxisRules,
  buildGraph,
  EspalierError,
  floats,
  type Graph,
  int,
  longs,
  sizeOf,
  text,
} from '@espalier/core';
import { decodeOnnx } from '@espalier/onnx';
import { inferShapes, setInputShapes } from '@espalier/ops';
import { costModel, coupled, cut } from '@espalier/pruners';
import { describe, expect, it, test } from 'vitest';
import { modelsFolder } from './fixtures.js';

const folder = modelsFolder();

/** Every ONNX file below a folder. */
function modelsIn(path: string): readonly string[] {
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) => {
    const inside = join(path, entry.name);
    if (entry.isDirectory()) return modelsIn(inside);
    return /\.onnx(\.gz)?$/.test(entry.name) ? [inside] : [];
  });
}

/** A sample, with the other named sizes as numbers that fit: the cost model has no sizes of its own. */
function sized(graph: Graph): Graph {
  const of = (size: number) => {
    const shapes = graph.inputs.flatMap((input) => {
      const shape = graph.values.get(input)?.shape;
      const numbers = shape?.map((dim, axis) => (typeof dim === 'number' ? dim : axis === 0 ? 1 : size));
      return numbers ? [[input, numbers] as const] : [];
    });
    return setInputShapes(graph, new Map(shapes));
  };
  for (const size of [64, 512, 16_000]) {
    try {
      return of(size);
    } catch (error) {
      if (!(error instanceof EspalierError) || error.code !== 'GRAPH_SHAPE') throw error; // else it does not fit
    }
  }
  return of(1); // steps whose number is that of the others and one more
}

const costOf = (graph: Graph, rules?: AxisRules) => {
  const { parameters, bytes, knownMacs } = costsOf(graph, rules ? { rules } : {});
  return { parameters, bytes, macs: knownMacs };
};

describe('the cost model of nothing removed is what costsOf says', () => {
  const paths = folder ? [folder, join(folder, '../cases')].flatMap(modelsIn) : [];
  it.skipIf(!folder).each(paths.map((path) => [relative(folder!, path), path]))(
    '%s',
    { timeout: 60_000 },
    (_, path) => {
      const bytes = readFileSync(path);
      const graph = sized(decodeOnnx(path.endsWith('.gz') ? gunzipSync(bytes) : bytes));
      expect(costModel(coupled(graph))(new Map())).toEqual(costOf(graph));
    },
  );
});

const filled = (shape: readonly number[]) =>
  floats(
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(i + 1)),
    shape,
  );

/** One node between two matrix products: axes in the middle can be cut. */
function around(op: string, { input, output, weights, attributes = {} }: Around): Graph {
  const b = buildGraph();
  const x = b.input('x', 'float32', input);
  const y = b.add(op, [x, ...weights.map((shape, i) => b.constant(`w${i}`, filled(shape)))], { name: 'y', attributes });
  b.output(b.info(y, { dtype: 'float32', shape: output }));
  return inferShapes(b.finish());
}

interface Around {
  readonly input: readonly number[];
  readonly output: readonly number[];
  readonly weights: readonly (readonly number[])[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
}

describe('figures by hand, of both', () => {
  test.each([
    [
      'LSTM: 5 steps of 4 gates of 8 units from 100 inputs and 8 states',
      'LSTM',
      {
        input: [5, 1, 100],
        output: [5, 1, 1, 8],
        weights: [
          [1, 32, 100],
          [1, 32, 8],
        ],
        attributes: { hidden_size: int(8) },
      },
      5 * (32 * 100 + 32 * 8), // 17,280
    ],
    [
      'Einsum: 2 rows of 10, 20 columns',
      'Einsum',
      { input: [2, 10], output: [2, 20], weights: [[10, 20]], attributes: { equation: text('ij,jk->ik') } },
      400,
    ],
    [
      'attention with its projection: 3 steps of 8 channels, then scores and their product with the values',
      'com.microsoft::Attention',
      { input: [1, 3, 8], output: [1, 3, 8], weights: [[8, 24], [24]], attributes: { num_heads: int(2) } },
      3 * 8 * 24 + 2 * (3 * 3 * 8),
    ],
    [
      'transposed convolution: every weight at 4 places of the input',
      'ConvTranspose',
      { input: [1, 2, 2, 2], output: [1, 3, 4, 4], weights: [[2, 3, 3, 3]] },
      4 * 2 * 3 * 9,
    ],
  ] as const)('%s', (_, op, parts: Around, macs) => {
    const graph = around(op, parts);
    expect(costOf(graph).macs).toBe(macs);
    expect(costModel(coupled(graph))(new Map())).toEqual(costOf(graph));
  });
});

test('one axis rule of a plugin tells the multiply-adds of its op: each output sums over the axes that it says', () => {
  // acme::Linear(x [rows, in], weight [out, in])
  const rule: AxisRule = {
    relate(site) {
      const [x, w] = site.inputs as readonly [AxisPort, AxisPort];
      const y = site.outputs[0]!;
      site.same(x.axes[0]!, y.axes[0]!);
      site.same(w.axes[0]!, y.axes[1]!);
      site.same(w.axes[1]!, x.axes[1]!);
      site.role(w, 1, 'sums');
    },
  };
  const rules = new Map([['acme::Linear', rule]]);
  const graph = around('acme::Linear', { input: [4, 6], output: [4, 5], weights: [[5, 6]] });
  expect(costsOf(graph).unknown).toEqual([
    { node: 'y/Linear', op: 'acme::Linear', reason: 'no rule counts the op acme::Linear' },
  ]);
  expect(costOf(graph, rules)).toEqual({ parameters: 30, bytes: 120, macs: 4 * 5 * 6 });
  expect(costModel(coupled(graph, { rules }))(new Map())).toEqual(costOf(graph, rules));
});

describe('the cost model of a cut is what costsOf says of what is left', () => {
  test.each([
    ['an MLP', smallMlp],
    ['an LSTM between matrix products', lstmNet],
  ])('%s', (_, make) => {
    const graph = make();
    const groups = coupled(graph).groups.filter(({ prunable }) => prunable);
    expect(groups.length).toBeGreaterThan(0);
    const removals = new Map(groups.map(({ id, units }) => [id, Array.from({ length: units / 2 }, (_, i) => 2 * i)]));
    const counts = new Map([...removals].map(([id, units]) => [id, units.length]));
    expect(costModel(coupled(graph))(counts)).toEqual(costOf(cut(coupled(graph), removals)));
  });
});

function smallMlp(): Graph {
  const b = buildGraph();
  const x = b.input('x', 'float32', [1, 6]);
  const hidden = b.add('Relu', [b.add('Gemm', [x, b.constant('w1', filled([6, 8])), b.constant('b1', filled([8]))])]);
  b.output(b.add('MatMul', [hidden, b.constant('w2', filled([8, 3]))], { name: 'y' }));
  return inferShapes(b.finish());
}

function lstmNet(): Graph {
  const b = buildGraph();
  const x = b.input('x', 'float32', [5, 1, 6]);
  const wide = b.add('MatMul', [x, b.constant('in', filled([6, 10]))]);
  const weights = [b.constant('w', filled([1, 16, 10])), b.constant('r', filled([1, 16, 4]))];
  const states = b.add('LSTM', [wide, ...weights], { attributes: { hidden_size: int(4) } });
  const flat = b.add('Squeeze', [states, b.constant('axes', longs([1]))]);
  b.output(b.add('MatMul', [flat, b.constant('out', filled([4, 3]))], { name: 'y' }));
  return inferShapes(b.finish());
}

describe('nodes that run graphs', () => {
  /** x [rows, 6] times a matrix of 6 rows. */
  const product = (rows: number, name: string, columns = 6): Graph => {
    const b = buildGraph();
    const x = b.input(`${name}_x`, 'float32', [rows, 6]);
    b.output(b.add('MatMul', [x, b.constant(`${name}_w`, filled([6, columns]))], { name: `${name}_y` }));
    return b.finish();
  };
  const body = (graph: Graph): Attribute => ({ kind: 'graph', value: graph });
  const both = (graph: Graph) => {
    const costs = costsOf(graph);
    expect(costModel(coupled(inferShapes(graph)))(new Map())).toEqual(costOf(graph));
    return costs;
  };

  test('Scan runs its body for every slice', () => {
    const b = buildGraph();
    const inner = product(2, 's');
    const y = b.add('Scan', [b.input('x', 'float32', [5, 2, 6])], {
      name: 'y',
      attributes: { num_scan_inputs: int(1), body: body(inner) },
    });
    b.output(y);
    expect(both(b.finish())).toMatchObject({
      macs: 5 * 2 * 6 * 6,
      leastMacs: 5 * 2 * 6 * 6,
      parameters: 36,
      unknown: [],
    });
  });

  const loop = (trips: 'constant' | 'input', stops = false): Graph => {
    const b = buildGraph();
    const inner = buildGraph();
    inner.input('i', 'int64', []);
    const goesOn = inner.input('goes_on', 'bool', []);
    const state = inner.input('state', 'float32', [2, 6]);
    inner.output(inner.add(stops ? 'Not' : 'Identity', [goesOn], { name: 'still' }));
    inner.output(inner.add('MatMul', [state, inner.constant('loop_w', filled([6, 6]))], { name: 'next' }));
    const x = b.input('x', 'float32', [2, 6]);
    const count = trips === 'constant' ? b.constant('trips', longs([7], [])) : b.input('trips', 'int64', []);
    b.output(b.add('Loop', [count, undefined, x], { name: 'y', attributes: { body: body(inner.finish()) } }));
    return b.finish();
  };

  test('Loop runs as often as a constant says; where the data decides, the reason has the cost of a round', () => {
    expect(both(loop('constant')).macs).toBe(7 * 2 * 6 * 6);
    for (const open of [loop('input'), loop('constant', true)]) {
      const { macs, unknown } = both(open);
      expect(macs).toBeUndefined();
      expect(unknown[0]?.reason).toBe('only the data tells how often its body of 72 multiply-adds runs');
    }
  });

  test('If takes between the cheaper and the costlier branch', () => {
    const branch = (name: string, columns: number) => {
      const { inputs: _, nodes, ...rest } = product(2, name, columns);
      return { ...rest, inputs: [], nodes: nodes.map((node) => ({ ...node, inputs: ['x', node.inputs[1]] })) };
    };
    const b = buildGraph();
    b.input('x', 'float32', [2, 6]);
    const condition = b.input('c', 'bool', []);
    const attributes = { then_branch: body(branch('t', 3)), else_branch: body(branch('e', 8)) };
    b.output(b.add('If', [condition], { name: 'y', attributes }));
    const costs = both(b.finish());
    expect(costs).toMatchObject({ macs: 2 * 6 * 8, leastMacs: 2 * 6 * 3, parameters: 6 * 3 + 6 * 8 });
    expect(inspectGraph(b.finish()).warnings).toEqual([
      'Node "y/If" (If) takes 36 to 96 MACs: the data decides which branch runs.',
    ]);
  });

  test('a call counts its function, with the weights of the graph, and a function that calls itself is not counted', () => {
    const called = (op: string): Graph => {
      const b = buildGraph();
      const w = b.constant('w', filled([6, 4]));
      b.output(b.add('local::dense', [b.input('x', 'float32', [3, 6]), w], { name: 'y' }));
      return {
        ...b.finish(),
        functions: [
          {
            op: 'local::dense',
            inputs: ['a', 'b'],
            outputs: ['c'],
            parameters: [],
            defaults: new Map(),
            nodes: [{ id: 'inner', op, inputs: ['a', 'b'], outputs: ['c'], attributes: new Map() }],
            values: new Map(),
            opsets: new Map([['', 17]]),
          },
        ],
      };
    };
    expect(both(called('MatMul'))).toMatchObject({ macs: 3 * 6 * 4, parameters: 24 });
    expect(both(called('local::dense')).unknown[0]?.reason).toBe(
      'in its body, node "inner": no rule counts the op local::dense',
    );
  });

  it.skipIf(!folder)('merged decoder: the branch that the sizes allow, or a range where they allow both', () => {
    const read = (name: string) => decodeOnnx(readFileSync(join(folder!, 'exports/decoder', name)));
    const at = (graph: Graph, cached: number) =>
      setInputShapes(
        graph,
        new Map(
          graph.inputs.map((input) => [
            input,
            input === 'input_ids'
              ? [1, 16]
              : input === 'attention_mask'
                ? [1, 16 + cached]
                : input.startsWith('past')
                  ? [1, 4, cached, 16]
                  : [1],
          ]),
        ),
      );
    const past = costsOf(at(read('decoder_with_past_model.onnx'), 8));
    const merged = both(at(read('decoder_model_merged.onnx'), 8));
    expect(merged.macs).toBe(past.macs);
    expect(merged.assumed[0]?.reason).toMatch(/"none\/branch" cannot run at these sizes/);
    const { macs, leastMacs } = costsOf(at(read('decoder_model_merged.onnx'), 0));
    expect(leastMacs).toBe(costsOf(at(read('decoder_model.onnx'), 0)).macs);
    expect(macs).toBeGreaterThanOrEqual(leastMacs!);
  });
});
