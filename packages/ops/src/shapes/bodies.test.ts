import {
  type Attribute,
  createGraph,
  createNode,
  type Dim,
  type Executor,
  type Graph,
  type GraphParts,
  int,
  longs,
  type NodeParts,
  subgraphsOf,
  type Tensor,
  tensor,
  type ValueId,
  type ValueInfo,
  zeros,
} from '@espalier/core';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { afterAll, describe, expect, it } from 'vitest';
import { inferShapes } from '../infer-shapes.js';
import { setInputShapes } from '../set-input-shapes.js';

const executor: Executor = createOnnxRuntime({ threads: 1 });
afterAll(() => executor.close());

const node = (op: string, inputs: NodeParts['inputs'], outputs: NodeParts['outputs'], attributes = {}) =>
  createNode({ id: `${outputs[0]}`, op, inputs, outputs, attributes });
const body = (parts: GraphParts): Attribute => ({ kind: 'graph', value: createGraph({ ...parts, opsets: new Map() }) });
const f = (...shape: Dim[]): ValueInfo => ({ dtype: 'float32', shape });
const scalarOf = (dtype: 'int64' | 'bool'): ValueInfo => ({ dtype, shape: [] });
const graph = (
  parts: Omit<GraphParts, 'constants' | 'values'> & {
    constants?: Record<ValueId, Tensor>;
    values: Record<ValueId, ValueInfo>;
  },
) =>
  createGraph({
    ...parts,
    constants: new Map(Object.entries(parts.constants ?? {})),
    values: new Map(Object.entries(parts.values)),
  });

const shapes = (of: Graph) => Object.fromEntries(of.outputs.map((value) => [value, of.values.get(value)?.shape]));

async function shapesRun(of: Graph, feeds: Record<string, Tensor>) {
  const session = await executor.open(of);
  const results = await session.run(new Map(Object.entries(feeds)));
  return Object.fromEntries([...results].map(([name, { shape }]) => [name, shape]));
}

/** Squeezes axis 0 where it is 1, as exporters guard a squeeze. */
const guarded = graph({
  inputs: ['x'],
  outputs: ['y'],
  values: { x: f('N', 4) },
  constants: { zero: longs([0]), first: longs([0], []), one: longs([1], []) },
  nodes: [
    node('Shape', ['x'], ['shape']),
    node('Gather', ['shape', 'first'], ['size']),
    node('Equal', ['size', 'one'], ['single']),
    node('If', ['single'], ['y'], {
      then_branch: body({ inputs: [], outputs: ['a'], nodes: [node('Squeeze', ['x', 'zero'], ['a'])] }),
      else_branch: body({ inputs: [], outputs: ['b'], nodes: [node('Identity', ['x'], ['b'])] }),
    }),
  ],
});

describe('If', () => {
  it('takes the branch that runs, also where the other one contradicts itself', async () => {
    const three = setInputShapes(guarded, new Map([['x', [3, 4]]]));
    expect(shapes(three)).toEqual({ y: [3, 4] });
    expect(await shapesRun(guarded, { x: zeros('float32', [3, 4]) })).toEqual(shapes(three));
    const single = setInputShapes(guarded, new Map([['x', [1, 4]]]));
    expect(shapes(single)).toEqual({ y: [4] });
    expect(await shapesRun(guarded, { x: zeros('float32', [1, 4]) })).toEqual(shapes(single));
  });

  it('says nothing of the shape when the branches differ in rank and either may run', () => {
    expect(inferShapes(guarded).values.get('y')).toEqual({ dtype: 'float32' });
  });

  it('keeps what both branches share and leaves open what they do not', () => {
    const both = graph({
      inputs: ['c', 'x'],
      outputs: ['y'],
      values: { c: scalarOf('bool'), x: f('N', 4) },
      nodes: [
        node('If', ['c'], ['y'], {
          then_branch: body({
            inputs: [],
            outputs: ['a'],
            nodes: [node('Concat', ['x', 'x'], ['a'], { axis: int(1) })],
          }),
          else_branch: body({ inputs: [], outputs: ['b'], nodes: [node('Relu', ['x'], ['b'])] }),
        }),
      ],
    });
    expect(shapes(inferShapes(both))).toEqual({ y: ['N', '?y_1'] });
    expect(subgraphsOf(inferShapes(both).nodes[0]!)[0]!.values.get('a')?.shape).toEqual(['N', 8]);
  });

  it('returns the same graph when bodies hold nothing new', () => {
    const once = inferShapes(guarded);
    expect(inferShapes(once)).toBe(once);
  });
});

/** Appends a row each time round, and collects the rows. */
const growing = (trips: Tensor | undefined) =>
  graph({
    inputs: ['x', ...(trips ? [] : ['m'])],
    outputs: ['last', 'same', 'rows'],
    values: { x: f('N', 4), ...(trips ? {} : { m: scalarOf('int64') }) },
    constants: trips ? { m: trips } : {},
    nodes: [
      node('Loop', ['m', undefined, 'x', 'x'], ['last', 'same', 'rows'], {
        body: body({
          inputs: ['i', 'go', 'state', 'fixed'],
          outputs: ['on', 'longer', 'kept', 'row'],
          nodes: [
            node('Identity', ['go'], ['on']),
            node('Concat', ['state', 'x'], ['longer'], { axis: int(0) }),
            node('Relu', ['fixed'], ['kept']),
            node('ReduceSum', ['x'], ['row'], { keepdims: int(0) }),
          ],
        }),
      }),
    ],
  });

describe('Loop', () => {
  it('opens the sizes that change from round to round and keeps the others', async () => {
    const inferred = inferShapes(growing(longs([3], [])));
    expect(shapes(inferred)).toEqual({ last: ['?last_0', 4], same: ['N', 4], rows: [3] });
    const ran = await shapesRun(inferred, { x: zeros('float32', [2, 4]) });
    expect(ran).toEqual({ last: [8, 4], same: [2, 4], rows: [3] });
  });

  it('does not claim the number of rounds when it is not known', () => {
    expect(shapes(inferShapes(growing(undefined)))).toMatchObject({ rows: ['?rows_0'] });
  });

  it('types the values inside the body', () => {
    const [inner] = subgraphsOf(inferShapes(growing(longs([3], []))).nodes[0]!);
    expect(inner!.values.get('state')?.shape).toEqual(['?last_0', 4]);
    expect(inner!.values.get('row')).toEqual(f());
    expect(inner!.values.get('i')).toEqual(scalarOf('int64'));
  });

  it('gives up the rank of a state that grows by an axis each round', () => {
    const deeper = graph({
      inputs: ['x', 'm'],
      outputs: ['y'],
      values: { x: f('N'), m: scalarOf('int64') },
      constants: { zero: longs([0]) },
      nodes: [
        node('Loop', ['m', undefined, 'x'], ['y'], {
          body: body({
            inputs: ['i', 'go', 's'],
            outputs: ['on', 't'],
            nodes: [node('Identity', ['go'], ['on']), node('Unsqueeze', ['s', 'zero'], ['t'])],
          }),
        }),
      ],
    });
    expect(inferShapes(deeper).values.get('y')).toEqual({ dtype: 'float32' });
  });
});

describe('Scan', () => {
  it('cuts and stacks along the axes it is told', async () => {
    const sums = graph({
      inputs: ['start', 'x'],
      outputs: ['sum', 'sums'],
      values: { start: f('N'), x: f('N', 'T') },
      nodes: [
        node('Scan', ['start', 'x'], ['sum', 'sums'], {
          num_scan_inputs: int(1),
          scan_input_axes: { kind: 'ints', value: [1] },
          scan_output_axes: { kind: 'ints', value: [1] },
          body: body({
            inputs: ['s', 'slice'],
            outputs: ['t', 'copy'],
            nodes: [node('Add', ['s', 'slice'], ['t']), node('Identity', ['t'], ['copy'])],
            values: new Map([
              ['s', { dtype: 'float32' }],
              ['slice', { dtype: 'float32' }],
            ]),
          }),
        }),
      ],
    });
    expect(shapes(inferShapes(sums))).toEqual({ sum: ['N'], sums: ['N', 'T'] });
    const ran = await shapesRun(sums, { start: zeros('float32', [2]), x: zeros('float32', [2, 5]) });
    expect(ran).toEqual({ sum: [2], sums: [2, 5] });
  });
});

describe('sequences', () => {
  const parts = graph({
    inputs: ['x'],
    outputs: ['part', 'whole', 'count', 'mapped'],
    values: { x: f(6, 'N') },
    constants: { two: longs([2], []), one: longs([1], []), zero: longs([0], []), none: longs([0]) },
    nodes: [
      node('SplitToSequence', ['x', 'two'], ['seq'], { axis: int(0) }),
      node('SequenceAt', ['seq', 'one'], ['part']),
      node('ConcatFromSequence', ['seq'], ['whole'], { axis: int(0) }),
      node('SequenceEmpty', [], ['empty'], { dtype: int(1) }),
      node('SequenceInsert', ['empty', 'part'], ['inserted']),
      node('SequenceConstruct', ['part', 'part'], ['made']),
      node('SequenceErase', ['made', 'zero'], ['erased']),
      node('SequenceLength', ['made'], ['count']),
      node('SequenceMap', ['made'], ['summed'], {
        body: body({
          inputs: ['e'],
          outputs: ['s'],
          nodes: [node('ReduceSum', ['e', 'none'], ['s'])],
          values: new Map([['e', { dtype: 'float32' }]]),
        }),
      }),
      node('SequenceAt', ['summed', 'zero'], ['mapped']),
    ],
  });

  it('know the type of their elements, and the shape where all share it', async () => {
    const { values } = inferShapes(parts);
    expect(values.get('seq')).toEqual({ ...f(2, 'N'), container: ['sequence'] });
    expect(values.get('part')).toEqual(f(2, 'N'));
    expect(values.get('whole')).toEqual(f('?whole_0', 'N'));
    expect(values.get('inserted')).toEqual({ dtype: 'float32', container: ['sequence'] });
    expect(values.get('erased')).toEqual({ ...f(2, 'N'), container: ['sequence'] });
    expect(values.get('count')).toEqual(scalarOf('int64'));
    expect(values.get('mapped')).toEqual(f(1, 'N'));
    expect(await shapesRun(inferShapes(parts), { x: zeros('float32', [6, 3]) })).toEqual({
      part: [2, 3],
      whole: [6, 3],
      count: [],
      mapped: [1, 3],
    });
  });

  it('do not claim one shape for parts of different sizes', () => {
    const uneven = graph({
      inputs: ['x'],
      outputs: ['part'],
      values: { x: f(5, 'N') },
      constants: { two: longs([2], []), one: longs([1], []) },
      nodes: [node('SplitToSequence', ['x', 'two'], ['seq']), node('SequenceAt', ['seq', 'one'], ['part'])],
    });
    expect(inferShapes(uneven).values.get('part')).toEqual({ dtype: 'float32' });
  });

  it('and optional values are wrapped and unwrapped', () => {
    const optional = graph({
      inputs: ['x'],
      outputs: ['y', 'has'],
      values: { x: f('N') },
      nodes: [
        node('Optional', ['x'], ['o']),
        node('OptionalGetElement', ['o'], ['y']),
        node('OptionalHasElement', ['o'], ['has']),
      ],
    });
    const { values } = inferShapes(optional);
    expect(values.get('o')).toEqual({ ...f('N'), container: ['optional'] });
    expect(values.get('y')).toEqual(f('N'));
    expect(values.get('has')).toEqual(scalarOf('bool'));
  });
});

describe('model-local functions', () => {
  const called = (attributes: Record<string, Attribute>, recursive = false) =>
    createGraph({
      inputs: ['x'],
      outputs: ['y'],
      values: new Map([['x', f('N', 4)]]),
      opsets: new Map([
        ['', 17],
        ['mine', 1],
      ]),
      functions: [
        {
          op: 'mine::Twice',
          inputs: ['a'],
          outputs: ['b'],
          parameters: [],
          defaults: new Map([['along', int(0)]]),
          nodes: [
            createNode({
              id: 'join',
              op: recursive ? 'mine::Twice' : 'Concat',
              inputs: ['a', 'a'],
              outputs: ['b'],
              attributes: { axis: { kind: 'reference', value: 'along', of: 'int' } },
            }),
          ],
          values: new Map(),
          opsets: new Map([['', 17]]),
        },
      ],
      nodes: [node('mine::Twice', ['x'], ['y'], attributes)],
    });

  it('are inferred through their bodies, with the attributes of the call', () => {
    expect(shapes(inferShapes(called({})))).toEqual({ y: ['2*N', 4] });
    expect(shapes(inferShapes(called({ along: int(1) })))).toEqual({ y: ['N', 8] });
  });

  it('that call themselves are left unknown', () => {
    expect(inferShapes(called({}, true)).values.get('y')).toBeUndefined();
  });
});

it('a tensor of words stays a tensor of words', () => {
  const words = graph({
    inputs: ['x'],
    outputs: ['y'],
    values: { x: { dtype: 'string', shape: ['N'] } },
    constants: { more: tensor('string', [2], ['a', 'b']) },
    nodes: [node('Concat', ['x', 'more'], ['y'], { axis: int(0) })],
  });
  expect(inferShapes(words).values.get('y')).toEqual({ dtype: 'string', shape: ['N + 2'] });
});
