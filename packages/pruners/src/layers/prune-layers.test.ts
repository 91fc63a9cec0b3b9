import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { calibrate } from '@espalier/calibration';
import {
  buildGraph,
  checkGraph,
  createNode,
  type Executor,
  editGraph,
  floats,
  type Graph,
  type GraphBuilder,
  type Node,
  noEvidence,
} from '@espalier/core';
import { decodeOnnx } from '@espalier/onnx';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { inferShapes } from '@espalier/ops';
import { simplify } from '@espalier/passes';
import { bertTiny, decoderTiny, resnet20, vitTiny } from '@espalier/zoo';
import { afterAll, describe, expect, it } from 'vitest';
import { modelsFolder } from '../../../../test/fixtures.js';
import { randomizeWeights } from '../../../../test/randomize-weights.js';
import { largestDifference, randomFeeds, runOnnx } from '../../../../test/run-onnx.js';
import { magnitude } from '../magnitude.js';
import { layerPruning } from '../prunings/layer.js';
import { costModel } from '../structured/cost-model.js';
import { coupled } from '../structured/coupled.js';
import { prepareStructured } from '../structured/prepare-structured.js';
import { branchesOf } from './branches-of.js';
import { removeBranches } from './remove-branches.js';

const executor: Executor = createOnnxRuntime({ threads: 1 });
afterAll(() => executor.close());

const weight = (b: GraphBuilder, name: string, scale: number) =>
  b.constant(
    name,
    floats(
      Float32Array.from({ length: 9 }, (_, i) => scale * Math.sin(1 + 2 * i)),
      [3, 3],
    ),
  );
const dense = (b: GraphBuilder, x: string, name: string, scale = 1) =>
  b.add('Relu', [b.add('MatMul', [x, weight(b, name, scale)])]);

const net = (build: (b: GraphBuilder, x: string) => string): Graph => {
  const b = buildGraph();
  b.output(build(b, b.input('x', 'float32', ['n', 3])), 'y');
  return inferShapes(b.finish());
};

/** What branches compute, multiplied by zero. */
function zeroed(graph: Graph, ids: readonly string[]): Graph {
  const draft = editGraph(graph);
  const zero = draft.fresh('zero');
  draft.setConstant(zero, floats([0], []));
  const inputs = new Map<Node, (string | undefined)[]>();
  for (const { id, node, slot } of branchesOf(graph)) {
    if (!ids.includes(id)) continue;
    const nothing = draft.fresh('nothing');
    const made = { id: draft.fresh('zeroed'), op: 'Mul', inputs: [node.inputs[slot], zero], outputs: [nothing] };
    draft.insertBefore(node.id, createNode(made));
    const own = inputs.get(node) ?? [...node.inputs];
    inputs.set(node, own);
    own[slot] = nothing;
  }
  for (const [node, own] of inputs) draft.replace(node.id, { ...node, inputs: own });
  return draft.finish();
}

async function differenceOf(graph: Graph, ids: readonly string[]): Promise<number> {
  const feeds = randomFeeds(graph, { sizes: { batch: 1 } });
  const [masked, small] = [zeroed(graph, ids), checkGraph(removeBranches(graph, ids))];
  return largestDifference(await runOnnx(masked, feeds), await runOnnx(small, feeds));
}

const ends = (graph: Graph) => branchesOf(graph).map(({ weights }) => [...weights].sort().join());

describe('branchesOf', () => {
  it('finds a residual, whichever term it is, and nested ones', async () => {
    const graph = net((b, x) => {
      const first = b.add('Add', [dense(b, x, 'a'), x]);
      const inner = b.add('Add', [dense(b, first, 'c'), b.add('Relu', [dense(b, dense(b, first, 'c1'), 'c2')])]);
      const nested = b.add('Add', [inner, dense(b, inner, 'd')]);
      return b.add('Add', [first, dense(b, nested, 'e')]);
    });
    expect(ends(graph)).toEqual(['a', 'd', 'c,c1,c2,d,e']);
    for (const { id } of branchesOf(graph)) expect(await differenceOf(graph, [id])).toBeLessThan(1e-5);
    const all = branchesOf(graph).map(({ id }) => id);
    expect(await differenceOf(graph, all)).toBeLessThan(1e-5);
    expect(removeBranches(graph, all).nodes.map(({ op }) => op)).toEqual(['Identity']);
  });

  it('finds branches beside each other, in one sum and in a chain of them', async () => {
    const chain = net((b, x) => b.add('Add', [b.add('Add', [x, dense(b, x, 'a')]), dense(b, x, 'c')]));
    expect(ends(chain)).toEqual(['a', 'c']);
    const sum = net((b, x) => b.add('Sum', [dense(b, x, 'a'), x, dense(b, x, 'c')]));
    expect(ends(sum)).toEqual(['a', 'c']);
    for (const graph of [chain, sum]) {
      const ids = branchesOf(graph).map(({ id }) => id);
      for (const removed of [ids.slice(0, 1), ids.slice(1), ids]) {
        expect(await differenceOf(graph, removed)).toBeLessThan(1e-5);
      }
    }
  });

  it('takes no shortcut with weights, no arithmetic without, nothing that only reads a shape, no sum wider than it', () => {
    const projected = net((b, x) => b.add('Add', [dense(b, x, 'a'), dense(b, x, 'c')]));
    const gelu = net((b, x) => b.add('Add', [x, b.add('Mul', [x, x])]));
    const embedded = net((b, x) => b.add('Add', [x, b.add('Expand', [weight(b, 'p', 1), b.add('Shape', [x])])]));
    const wider = net((b, x) => {
      const row = b.add('MatMul', [x, b.constant('v', floats([1, 2, 3], [3, 1]))]);
      return b.add('Add', [row, b.add('MatMul', [row, b.constant('u', floats([1, 2, 3], [1, 3]))])]);
    });
    for (const graph of [projected, gelu, embedded, wider]) expect(branchesOf(graph)).toEqual([]);
  });

  it('refuses what is no branch', () => {
    const graph = net((b, x) => b.add('Add', [x, dense(b, x, 'a')]));
    expect(() => removeBranches(graph, ['Ad'])).toThrow('ids of branches of this graph');
    expect(removeBranches(graph, [])).toBe(graph);
  });
});

describe('pruneLayers', () => {
  const three = () =>
    net((b, x) => {
      const first = b.add('Add', [x, dense(b, x, 'big', 1)]);
      const second = b.add('Add', [first, dense(b, first, 'tiny', 0.001)]);
      return b.add('Add', [second, dense(b, second, 'small', 0.1)]);
    });

  it('removes those that change their input least, as calibration sees it', async () => {
    const graph = three();
    for (const measure of ['influence', 'change'] as const) {
      const options = { pruner: magnitude(), measure, sparsity: 0.34 };
      const evidence = await calibrate(prepareStructured(graph), layerPruning(options)(graph).needs, {
        executor,
        batches: async function* () {
          for (let seed = 1; seed < 4; seed++) yield randomFeeds(graph, { seed, sizes: { n: 8 } });
        },
      });
      const { graph: small, notes } = layerPruning(options)(graph).apply(evidence);
      expect([...small.constants.keys()].sort()).toEqual(['big', 'small']);
      expect(notes.map(({ outcome }) => outcome)).toEqual(['pruned', 'kept', 'kept', 'pruned']);
      expect(notes.at(-1)!.reason).toContain(
        '1 branches are gone: 33.3 % of the branches, where 34.0 % were asked for',
      );
    }
  });

  it('takes scores of weights where there is no data, and patterns', () => {
    const by = (options: object) =>
      layerPruning({ pruner: magnitude(), measure: 'sum', goal: 'parameters', sparsity: 0.6, ...options })(
        three(),
      ).apply(noEvidence);
    expect([...by({}).graph.constants.keys()]).toEqual(['big']);
    expect([...by({ ignore: ['tiny'] }).graph.constants.keys()]).toEqual(['tiny']);
    expect(by({ only: ['big'] }).graph.constants.has('big')).toBe(false);
    expect(by({ sparsity: 0 }).notes.at(-1)!.reason).toBe('Nothing was removed.');
    expect(() => by({ goal: 'macs', sparsity: 2 })).toThrow('a number from 0 to 1');
    expect(() => by({ measure: 'influence' })).toThrow('from calibration data');
  });

  it('says when no branch can go, and leaves one that is most of the network', () => {
    const none = net((b, x) => dense(b, x, 'a'));
    const options = { pruner: magnitude(), measure: 'mean', sparsity: 0.5 } as const;
    expect(layerPruning(options)(none).apply(noEvidence).notes[0]!.reason).toContain('No branch can go');
    const whole = net((b, x) => b.add('Add', [x, dense(b, dense(b, x, 'a'), 'c')]));
    expect(layerPruning(options)(whole).apply(noEvidence).notes[0]!.reason).toBe(
      'It holds more than half of the parameters.',
    );
  });
});

const folder = modelsFolder();
const topology = (name: string) => () => {
  const bytes = gunzipSync(readFileSync(join(folder!, 'topologies', `${name}.onnx.gz`)));
  return randomizeWeights(simplify(decodeOnnx(bytes)), 1);
};

const networks: readonly (readonly [name: string, branches: number, make: () => Graph, missing?: boolean])[] = [
  ['resnet20 of the zoo', 7, () => resnet20()],
  ['vit of the zoo', 24, () => vitTiny()],
  ['bert of the zoo', 4, () => bertTiny()],
  ['decoder of the zoo', 8, () => decoderTiny()],
  ...([['resnet18', 5]] as const).map(([name, count]) => {
    const missing = folder === undefined || !existsSync(join(folder, 'topologies', `${name}.onnx.gz`));
    return [`${name}${missing ? ' (skipped: no model file)' : ''}`, count, topology(name), missing] as const;
  }),
];

describe('real networks', () => {
  for (const [name, count, make, missing = false] of networks) {
    it.skipIf(missing)(
      `${name} loses branches, exactly as when they compute zeros, for the price that was foreseen`,
      { timeout: 60_000 },
      async () => {
        const graph = prepareStructured(inferShapes(make()));
        expect(branchesOf(graph)).toHaveLength(count);
        const { graph: small, notes } = layerPruning({
          pruner: magnitude(),
          measure: 'mean',
          goal: 'macs',
          sparsity: 0.3,
        })(graph).apply(noEvidence);
        const ids = notes
          .filter(({ outcome, details }) => outcome === 'pruned' && details?.['branch'] !== undefined)
          .map(({ details }) => details!['branch'] as string); // the id of the branch
        const feeds = randomFeeds(graph, { sizes: { batch: 1 } });
        const masked = await runOnnx(zeroed(graph, ids), feeds);
        expect(largestDifference(masked, await runOnnx(small, feeds))).toBeLessThan(1e-5);
        const [before, after] = [graph, small].map((each) => costModel(coupled(each))(new Map()));
        const reached = (notes.at(-1)!.details as { reached: Record<'parameters' | 'macs' | 'bytes', number> }).reached;
        for (const kind of ['parameters', 'macs', 'bytes'] as const) {
          expect(1 - after![kind] / before![kind]).toBeCloseTo(reached[kind], 10);
        }
        expect(Math.abs(reached.macs - 0.3)).toBeLessThan(0.1);
      },
    );
  }
});
