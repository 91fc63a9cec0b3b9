import {
  type AnyPlugin,
  buildGraph,
  createNode,
  definePlugin,
  type Executor,
  editGraph,
  floats,
  type Graph,
  int,
  type Loss,
  type Optimizer,
  type Pass,
  problem,
  type Session,
  scalar,
  type Tensor,
  type Trained,
  type Trainer,
  type UnitScorer,
  type WeightScorer,
} from '@espalier/core';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { describe, expect, it } from 'vitest';
import {
  describeDataset,
  describeExecutor,
  describeFormat,
  describeLoss,
  describeModel,
  describeObserver,
  describeOptimizer,
  describePass,
  describePlugin,
  describePruner,
  describePruning,
  describeQuantizer,
  describeSchedule,
  describeTrainer,
  failuresOf,
  type Kit,
  runKit,
  sampleGraphs,
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

describe('the kit of prunings catches one that', () => {
  const pruning = (change: (graph: Graph) => Graph) =>
    definePlugin({
      ...facts,
      kind: 'pruning',
      create: () => (graph) => ({ graph, needs: [], apply: () => ({ graph: change(graph), notes: [] }) }),
    });
  const [sample] = sampleGraphs().filter(({ name }) => name === 'perceptron');

  it.each<[string, (graph: Graph) => Graph, string]>([
    [
      'writes into weights',
      (graph) => {
        (graph.constants.get('w1')?.data as Float32Array | undefined)?.fill(0); // float32 in the samples
        return graph;
      },
      'does not change the graph it is given',
    ],
    [
      'adds weights',
      (graph) => ({ ...graph, constants: new Map([...graph.constants, ['more', floats([1, 2])]]) }),
      'leaves no more weights than there were',
    ],
    ['drops an output', (graph) => ({ ...graph, outputs: [] }), 'gives a sound graph with the same inputs and outputs'],
    [
      'touches ops that it does not know',
      (graph) => ({ ...graph, nodes: graph.nodes.map((node) => ({ ...node, attributes: new Map() })) }),
      'leaves ops it does not know as they are',
    ],
  ])('%s', async (_, change, check) => {
    expect(await failing(describePruning(pruning(change)))).toContain(check);
  });

  it('changes the shape of an output', async () => {
    const executor = createOnnxRuntime({ threads: 1 });
    const shorter = pruning((graph) => {
      const draft = editGraph(graph);
      const last = graph.constants.get('w2')!;
      draft.setConstant('w2', floats(last.data.slice(0, 32 * 4) as Float32Array, [32, 4])); // float32 in the samples
      for (const value of ['o', 'y']) draft.setInfo(value, { dtype: 'float32', shape: ['batch', 4] });
      return draft.finish();
    });
    const names = await failing(describePruning(shorter, { graphs: [sample!], executor }));
    expect(names).toContain('runs, with outputs of the same shapes');
    await executor.close();
  });

  it('and lets one that does nothing through', async () => {
    expect(await failing(describePruning(pruning((graph) => graph)))).toEqual([]);
  });
});

describe('the kit of losses catches one that', () => {
  const loss = (build: Loss['build'], more: Omit<Loss, 'build'> = {}) =>
    definePlugin({ ...facts, kind: 'loss', create: () => ({ ...more, build }) });
  const squared: Loss['build'] = (b, { output, target }) => {
    const difference = b.add('Sub', [output, target]);
    return b.add('ReduceMean', [b.add('Mul', [difference, difference])], { attributes: { keepdims: int(0) } });
  };

  it('returns more than a number, adds an output, differs each time, or names inputs of a teacher that it lacks', async () => {
    const first = 'appends a float32 scalar to the graph, and changes nothing else';
    expect(await failing(describeLoss(loss((b, { output, target }) => b.add('Sub', [output, target]))))).toEqual([
      first,
    ]);
    expect(await failing(describeLoss(loss((b, of) => b.output(squared(b, of)))))).toContain(first);
    let calls = 0;
    const moody = loss((b, of) => b.add('Mul', [squared(b, of), b.constant('c', scalar(calls++))]));
    expect(await failing(describeLoss(moody))).toEqual(['appends the same nodes every time']);
    const strange = loss(squared, { teacher: new Map([['teacher', 'output']]) });
    expect(await failing(describeLoss(strange))).toEqual(['takes from a teacher what its further inputs need']);
  });

  it('sums over the batch', async () => {
    const executor = createOnnxRuntime({ threads: 1 });
    const sum = loss((b, { output }) => b.add('ReduceSum', [output], { attributes: { keepdims: int(0) } }));
    expect(await failing(describeLoss(sum, { executor }))).toEqual(['is one finite number, the mean over the batch']);
    expect(await failing(describeLoss(loss(squared), { executor }))).toEqual([]);
    await executor.close();
  });
});

describe('the kit of optimizers catches one that', () => {
  const optimizer = (update: Optimizer['update'], state: readonly string[] = []) =>
    definePlugin({ ...facts, kind: 'optimizer', create: () => ({ state, update }) });
  const move =
    (op: string): Optimizer['update'] =>
    (b, { parameter, gradient, learningRate }) => ({
      parameter: b.add(op, [parameter, b.add('Mul', [gradient, learningRate])]),
      state: new Map(),
    });

  it('forgets its state, repeats a name, or changes the shape', async () => {
    expect(await failing(describeOptimizer(optimizer(move('Sub'), ['momentum'])))).toEqual([
      'updates the parameter and each tensor of its state, in their shape',
    ]);
    expect(await failing(describeOptimizer(optimizer(move('Sub'), ['m', 'm'])))).toContain(
      'names its state, each tensor once',
    );
    const summed = optimizer((b, of) => ({ parameter: b.add('ReduceMean', [of.parameter]), state: new Map() }));
    expect(await failing(describeOptimizer(summed))).toEqual([
      'updates the parameter and each tensor of its state, in their shape',
    ]);
  });

  it('goes uphill, or ignores the learning rate', async () => {
    const executor = createOnnxRuntime({ threads: 1 });
    expect(await failing(describeOptimizer(optimizer(move('Add')), { executor }))).toEqual([
      'goes downhill on a parabola',
    ]);
    const fixed = optimizer((b, { parameter, gradient }) => ({
      parameter: b.add('Sub', [parameter, b.add('Mul', [gradient, b.constant('rate', scalar(0.1))])]),
      state: new Map(),
    }));
    expect(await failing(describeOptimizer(fixed, { executor }))).toContain(
      'leaves the parameter as it is at a learning rate of 0',
    );
    expect(await failing(describeOptimizer(optimizer(move('Sub')), { executor }))).toEqual([]);
    await executor.close();
  });
});

describe('the kit of models catches one that', () => {
  const seed = { type: 'integer', default: 0, about: 'seed of the weights' } as const;
  const model = (weight: (seed: number) => number) =>
    definePlugin({ ...facts, kind: 'model', options: { seed }, create: (options) => linear(weight(options.seed)) });
  const linear = (weight: number): Graph => {
    const b = buildGraph();
    const x = b.input('x', 'float32', ['batch', 1]);
    b.output(b.add('MatMul', [x, b.constant('w', floats([weight], [1, 1]))], { name: 'y' }));
    return b.finish();
  };

  it('ignores its seed, differs each time, or has weights that are not finite', async () => {
    expect(await failing(describeModel(model(() => 1)))).toEqual(['has other weights for another seed']);
    let calls = 0;
    expect(await failing(describeModel(model(() => calls++)))).toEqual([
      'has the same weights every time for the same options',
    ]);
    expect(await failing(describeModel(model((start) => start / 0)))).toContain('has finite weights');
    expect(await failing(describeModel(model((start) => start)))).toEqual([]);
  });
});

describe('the kit of trainers catches one that', () => {
  const executor = createOnnxRuntime({ threads: 1 });
  const done = { history: [], masks: new Map(), epochs: 0, steps: 0, seconds: 0, imagesPerSecond: 0 } as const;
  const trainer = (train: Trainer['train']) => definePlugin({ ...facts, kind: 'trainer', create: () => ({ train }) });
  const finished = (graph: Graph): Trained => ({ ...done, graph, metrics: { loss: 1 }, reason: 'finished' });

  it('changes nodes, forgets the metrics, breaks its masks, keeps going, or says nothing', async () => {
    const start = { event: 'start', steps: 1, stepsPerEpoch: 1, batch: 1, parameters: 1, resumedAt: 0 } as const;
    const step = { event: 'step', step: 1, loss: 1, learningRate: 1, imagesPerSecond: 1, secondsLeft: 0 } as const;
    const kit = (change: (graph: Graph) => Trained) =>
      failing(
        describeTrainer(
          trainer(async (graph, { events }) => {
            events?.(start);
            events?.(step);
            return change(graph);
          }),
          { executor },
        ),
      );
    expect(await kit(finished)).toEqual([]);
    expect(await kit((graph) => finished({ ...graph, nodes: [...graph.nodes, relu('more')] }))).toEqual([
      'does not change the graph it is given, and changes weights alone',
    ]);
    const { metrics: _, ...unmeasured } = finished(smallGraph());
    expect(await kit((graph) => ({ ...unmeasured, graph }))).toEqual([
      'gives an account of finite losses, metrics of the evaluation, and notes',
    ]);
    const mask = floats(new Float32Array(20), [4, 5]);
    expect(await kit((graph) => ({ ...finished(graph), masks: new Map([['w', mask]]) }))).toEqual([
      'keeps to masks of zeros and ones, with zero weights where they are zero',
    ]);
    expect(await kit((graph) => ({ ...finished(graph), steps: 1 }))).toEqual([
      'stops when its signal is aborted, and says so',
    ]);
    const silent = trainer(async (graph) => finished(graph));
    expect(await failing(describeTrainer(silent, { executor }))).toEqual([
      'reports its start, and steps that count up',
    ]);
    await executor.close();
  });

  const smallGraph = () => sampleGraphs()[0]!.graph;
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
