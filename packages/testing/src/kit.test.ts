import {
  type AnyPlugin,
  createNode,
  definePlugin,
  type Executor,
  editGraph,
  floats,
  type Graph,
  type Pass,
  problem,
  type Session,
  type Tensor,
  type UnitScorer,
  type WeightScorer,
} from '@espalier/core';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { describe, expect, it } from 'vitest';
import {
  describeDataset,
  describeExecutor,
  describeFormat,
  describeObserver,
  describePass,
  describePlugin,
  describePruner,
  describeQuantizer,
  describeSchedule,
  failuresOf,
  type Kit,
  runKit,
} from './index.js';

const facts = { id: 'bad', about: 'Does something it should not do.', options: {} } as const;
const pass = (create: () => Pass) => definePlugin({ ...facts, kind: 'pass', create });
const pruner = (score: WeightScorer['score']) =>
  definePlugin({ ...facts, kind: 'pruner', create: () => ({ needs: () => [], score }) });
const quantizer = (
  quantize: (graph: Graph) => Graph,
  notes: readonly { reason: string; node?: string; outcome: 'float' }[] = [],
) =>
  definePlugin({
    ...facts,
    kind: 'quantizer',
    create: () => (graph) => ({ graph, needs: [], apply: () => ({ graph: quantize(graph), notes }) }),
  });
const relu = (id: string) => createNode({ id, op: 'Relu', inputs: ['x'], outputs: [`${id}_out`] });
const adding = (graph: Graph, id: string) => {
  const draft = editGraph(graph);
  draft.append(relu(draft.fresh(id)));
  return draft.finish();
};
/** The names of the checks that fail, without the sample they fail on. */
const failing = async (kit: Kit): Promise<readonly string[]> => {
  const names = (await failuresOf(kit)).map((line) => line.slice(kit.about.length + 2).split(/ \(|: /)[0]!);
  return [...new Set(names)];
};

describe('a kit', () => {
  it('becomes tests of whatever framework there is', async () => {
    const declared: string[] = [];
    const kit: Kit = {
      about: 'kit',
      checks: [
        { name: 'one', run: () => undefined },
        { name: 'two', run: () => Promise.reject(new Error('no')) },
      ],
    };
    const bodies: (() => void | Promise<void>)[] = [];
    runKit(kit, {
      describe: (name, body) => {
        declared.push(name);
        body();
      },
      it: (name, body) => {
        declared.push(name);
        bodies.push(body);
      },
    });
    expect(declared).toEqual(['kit', 'one', 'two']);
    await expect(bodies[1]!()).rejects.toThrow('no');
    expect(await failuresOf(kit)).toEqual(['kit: two: Error: no']);
  });
});

describe('the facts of a plugin', () => {
  const broken = (change: object) =>
    describePlugin(Object.assign(() => 0, { kind: 'schedule', ...facts, ...change }) as unknown as AnyPlugin); // made wrong on purpose

  it.each([
    [{ id: 'Bad_Id' }, 'has an id like `my-plugin`, lower-case words joined by dashes'],
    [{ about: 'no stop' }, 'says in one sentence what it does'],
    [
      { options: { Size: { type: 'integer', about: 'the size' } } },
      'has options that explain themselves and accept their own defaults',
    ],
    [
      { options: { size: { type: 'integer', about: '' } } },
      'has options that explain themselves and accept their own defaults',
    ],
    [
      { options: { size: { type: 'integer', max: 3, default: 4, about: 'the size' } } },
      'has options that explain themselves and accept their own defaults',
    ],
    [{}, 'refuses options it does not have'],
  ])('%o: %s', async (change, check) => {
    expect(await failing(broken(change))).toContain(check);
  });
});

describe('the kit of passes catches one that', () => {
  it.each([
    [
      'changes its argument',
      (graph: Graph) => (graph.constants.get('w')?.data as Float32Array | undefined)?.fill(0) && graph,
      'does not change the graph it is given',
    ],
    [
      'copies what it does not change',
      (graph: Graph) => ({ ...graph }),
      'settles, and then gives the very same object back',
    ],
    ['never settles', (graph: Graph) => adding(graph, 'more'), 'settles, and then gives the very same object back'],
    [
      'drops outputs',
      (graph: Graph) => ({ ...graph, outputs: graph.outputs.slice(1) }),
      'gives a sound graph with the same inputs and outputs',
    ],
    [
      'leaves values undefined',
      (graph: Graph) => ({ ...graph, nodes: graph.nodes.slice(1) }),
      'gives a sound graph with the same inputs and outputs',
    ],
  ])('%s', async (_, run, check) => {
    expect(await failing(describePass(pass(() => (graph) => run(graph) || graph)))).toContain(check);
  });

  it('differs from run to run', async () => {
    let count = 0;
    const moody = pass(
      () => (graph) => (graph.nodes.some(({ id }) => id.startsWith('run')) ? graph : adding(graph, `run${count++}`)),
    );
    expect(await failing(describePass(moody))).toEqual(['gives the same result every time']);
  });

  it('and lets a good one through', async () => {
    expect(await failing(describePass(pass(() => (graph) => graph)))).toEqual([]);
  });
});

describe('the kit of quantizers catches one that', () => {
  it('touches ops it does not know', async () => {
    const eager = quantizer((graph) => ({
      ...graph,
      nodes: graph.nodes.map((node) => ({ ...node, attributes: new Map() })),
    }));
    expect(await failing(describeQuantizer(eager))).toContain('leaves ops it does not know as they are');
  });

  it('renames outputs or changes their type', async () => {
    const renaming = quantizer((graph) => ({
      ...graph,
      values: new Map([...graph.values].map(([value, info]) => [value, { ...info, dtype: 'int8' as const }])),
    }));
    expect(await failing(describeQuantizer(renaming))).toContain(
      'gives a sound graph with the same inputs and outputs',
    );
  });

  it('tells of nodes that are not there', async () => {
    const lying = quantizer(
      (graph) => graph,
      [{ node: 'nothing', reason: 'This node stays float.', outcome: 'float' }],
    );
    expect(await failing(describeQuantizer(lying))).toEqual(['accounts for nodes that are there']);
  });

  it('and lets one that does nothing through', async () => {
    expect(await failing(describeQuantizer(quantizer((graph) => graph)))).toEqual([]);
  });
});

describe('the kit of pruners catches one that', () => {
  const length = (weight: Tensor) => weight.shape.reduce((product, dim) => product * dim, 1);
  it.each<[string, WeightScorer['score'], string]>([
    ['gives too few scores', () => new Float32Array(1), 'gives each weight one finite score of at least 0'],
    [
      'gives negative scores',
      ({ weight }) => new Float32Array(length(weight)).fill(-1),
      'gives each weight one finite score of at least 0',
    ],
    [
      'gives NaN',
      ({ weight }) => new Float32Array(length(weight)).fill(Number.NaN),
      'gives each weight one finite score of at least 0',
    ],
    [
      'writes into weights',
      ({ weight }) => (weight.data as Float32Array).map((w, i, all) => (all[i] = Math.abs(w) + 1)),
      'does not change the graph or the weights',
    ],
  ])('%s', async (_, score, check) => {
    expect(await failing(describePruner(pruner(score)))).toContain(check);
  });

  const unitPruner = (score: UnitScorer['score']) =>
    definePlugin({ ...facts, kind: 'pruner', create: () => ({ units: { needs: () => [], score } }) });
  it.each<[string, UnitScorer['score'], string]>([
    ['gives too few scores of units', () => new Float64Array(1), 'gives each unit one finite score of at least 0'],
    [
      'divides by the number of other units',
      ({ units }) => new Float64Array(units).map(() => 0 / (units - 1)),
      'scores a group of one unit, and one whose weights are all zero',
    ],
    [
      'writes into the indices of units',
      ({ units, slices }) => new Float64Array(units).fill(slices[0]!.indices.fill(0)[0]!),
      'does not change the graph or the units',
    ],
  ])('%s', async (_, score, check) => {
    expect(await failing(describePruner(unitPruner(score)))).toContain(check);
  });

  it('scores nothing', async () => {
    const none = definePlugin({ ...facts, kind: 'pruner', create: () => ({}) as never });
    expect(await failing(describePruner(none))).toContain('scores single weights, whole units or both');
  });

  it('and lets one through that scores whole units alone', async () => {
    expect(await failing(describePruner(unitPruner(({ units }) => new Float64Array(units))))).toEqual([]);
  });

  it('depends on the order of the layers', async () => {
    const moody = definePlugin({
      ...facts,
      kind: 'pruner',
      create: () => {
        let calls = 0;
        return { needs: () => [], score: ({ weight }) => new Float32Array(length(weight)).fill(calls++) };
      },
    });
    expect(await failing(describePruner(moody))).toEqual(['gives the same scores every time, in any order']);
  });
});

describe('the kit of schedules catches one that', () => {
  it('remembers, is not finite, or leaves its ends', async () => {
    const schedule = (create: () => (step: number) => number) => definePlugin({ ...facts, kind: 'schedule', create });
    const remembering = schedule(() => {
      let last = 0;
      return (step) => (last = Math.max(last, step));
    });
    expect(await failing(describeSchedule(remembering))).toEqual([
      'depends on the step alone, not on the steps asked before',
    ]);
    expect(await failing(describeSchedule(schedule(() => (step) => 1 / step)))).toEqual([
      'gives a finite number at every step, however late',
    ]);
    expect(
      await failing(
        describeSchedule(
          schedule(() => (step) => step),
          { between: [0, 1] },
        ),
      ),
    ).toEqual(['stays between its ends']);
  });
});

describe('the kit of observers catches one that', () => {
  it('reaches beyond what was seen, or asks for half a bin', async () => {
    const observer = (bins: number, max: number) =>
      definePlugin({
        ...facts,
        kind: 'observer',
        create: () => ({ bins, range: ({ range }) => ({ min: range.min, max: range.max + max }) }),
      });
    expect(await failing(describeObserver(observer(0, 1)))).toEqual([
      'chooses a finite range within what was seen, the same every time',
    ]);
    expect(await failing(describeObserver(observer(0.5, 0)))).toEqual(['asks for a whole number of bins']);
    expect(await failing(describeObserver(observer(0, 0)))).toEqual([]);
  });
});

describe('the kit of data sets catches one that', () => {
  const dataset = (read: (indices: readonly number[]) => Tensor) =>
    definePlugin({
      ...facts,
      kind: 'dataset',
      create: () => async () => ({
        name: 'bad',
        size: 3,
        fields: new Map([['x', { dtype: 'float32' as const, shape: [1] }]]),
        read: async (indices: readonly number[]) => new Map([['x', read(indices)]]),
      }),
    });
  const refuse = (indices: readonly number[]) => {
    const bad = indices.find((index) => !Number.isInteger(index) || index < 0 || index > 2);
    if (bad !== undefined)
      throw problem('DATA_INDEX', { where: 'bad', expected: 'an index from 0 to 2', found: `${bad}` });
    return indices;
  };
  const good = (indices: readonly number[]) => floats(refuse(indices), [indices.length, 1]);

  it('takes any index, gives other shapes, or other samples', async () => {
    expect(await failing(describeDataset(dataset((indices) => floats(indices, [indices.length, 1]))))).toEqual([
      'refuses indices that it does not have',
    ]);
    expect(await failing(describeDataset(dataset((indices) => floats(refuse(indices)))))).toEqual([
      'gives tensors of the fields it names, samples along the first axis',
    ]);
    expect(
      await failing(
        describeDataset(
          dataset((indices) =>
            floats(
              refuse(indices).map((_, i) => i),
              [indices.length, 1],
            ),
          ),
        ),
      ),
    ).toEqual(['gives the same sample alone and among others, again and when opened again']);
    expect(await failing(describeDataset(dataset(good)))).toEqual([]);
  });
});

describe('the kit of formats catches one that', () => {
  it('loses what it was given, or fails in its own words', async () => {
    const reader = definePlugin({
      ...facts,
      kind: 'import',
      create: () => ({
        extensions: ['bad'],
        recognises: (head: Uint8Array) => head.length > 0,
        async read(files, path): Promise<Graph> {
          const { name } = JSON.parse(new TextDecoder().decode(await files.read(path))) as { name: string };
          return {
            name,
            inputs: [],
            outputs: [],
            nodes: [],
            constants: new Map(),
            values: new Map(),
            opsets: new Map(),
            functions: [],
            provenance: {},
          };
        },
      }),
    });
    const writer = definePlugin({
      ...facts,
      kind: 'export',
      create: () => ({
        extension: 'bad',
        async write(graph, files, path) {
          await files.write(path, [new TextEncoder().encode(JSON.stringify({ name: graph.name }))]);
          return [path];
        },
      }),
    });
    expect(await failing(describeFormat({ reader, writer }))).toEqual([
      'gives back the graph that was written',
      'answers damaged files with an error or a graph, never otherwise',
    ]);
  });
});

describe('the kit of executors catches one that', () => {
  it('computes nothing right and takes any input', async () => {
    const session: Session = {
      inputs: [],
      outputs: [],
      run: async () => new Map([['y', floats([0])]]),
      close: async () => undefined,
    };
    const lazy: Executor = {
      id: 'lazy',
      describe: async () => 'lazy',
      open: async () => session,
      close: async () => undefined,
    };
    const names = await failing(describeExecutor(() => lazy));
    expect(names).toContain('names its runtime and version');
    expect(names).toContain('multiplies matrices');
    expect(names).toContain('refuses wrong inputs');
    expect(names).not.toContain('can be closed more than once');
    expect(names.length).toBeGreaterThan(18);
  });

  it('forgets between the runs of a loop what it carried', async () => {
    const good = createOnnxRuntime({ threads: 1 });
    const forgetful: Executor = {
      ...good,
      async open(graph, options) {
        const session = await good.open(graph, options);
        const loop: Session['loop'] = async ([carry]) => ({
          step: (feeds, fetch) => session.run(new Map([...feeds, [carry!.input, carry!.initial]]), fetch),
          read: async () => new Map([[carry!.input, carry!.initial]]),
          close: async () => undefined,
        });
        return { ...session, loop };
      },
    };
    const names = await failing(describeExecutor(() => forgetful));
    expect(names).toContain('carries an output to the next run of a loop');
    expect(names).toContain('leaves what a loop began with as it was, and what is read to the caller');
    expect(names).toContain('keeps what a loop carries when a run is refused');
    expect(names).toContain('refuses a loop over what is not there, and keeps two loops apart');
    await good.close();
  });
});
