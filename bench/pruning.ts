import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import {
  createNode,
  editGraph,
  floats,
  type Graph,
  isFloat,
  type Note,
  noEvidence,
  sizeOf,
  type ValueId,
} from '@espalier/core';
import { decodeOnnx } from '@espalier/onnx';
import { parametersOf } from '@espalier/ops';
import { simplify } from '@espalier/passes';
import {
  branchesOf,
  chooseUnits,
  costModel,
  coupled,
  cut,
  type Goal,
  type Group,
  layerPruning,
  magnitude,
  maskGroups,
  scoreUnits,
} from '@espalier/pruners';
import { modelsFolder } from '../test/fixtures.js';
import { normsOverKept } from '../test/norms-over-kept.js';
import { randomizeWeights } from '../test/randomize-weights.js';
import { largestDifference, randomFeeds, runOnnx } from '../test/run-onnx.js';

/**
 * Removes half of the units of every group from torchvision's networks (random weights) and from real models, and
 * checks each in onnxruntime: `tsx --conditions=@espalier/source bench/pruning.ts [name..]`. One process a network,
 * so that the peak of its memory is its own. `share` is the part of the parameters in groups that can be pruned,
 * `with norms` that with groups that a layer norm takes its statistics over. The difference is between the cut and
 * the masked network, relative to the largest output; with `statistics` the masked network takes its layer norms over
 * what would be left. Exit code 1 when one is above 1e-4 or a prediction fails.
 */

const tolerance = 1e-4;
// Outputs near 0 of a saturated sigmoid carry the rounding of numbers near 1.
const rounding = 1e-6;
const sizes = { batch: 1, batch_size: 1, sequence: 512 };

/** Parameters of each constant that no group can touch, largest first. */
function untouched(graph: Graph, groups: readonly Group[]): readonly (readonly [ValueId, number])[] {
  const touched = new Set(groups.flatMap(({ slices }) => slices.map(({ value }) => value)));
  return [...graph.constants]
    .filter(([value, { dtype, shape }]) => isFloat(dtype) && shape.length > 0 && !touched.has(value))
    .map(([value, { shape }]) => [value, sizeOf(shape)] as const)
    .sort((a, b) => b[1] - a[1]);
}

const parametersIn = (graph: Graph): number =>
  [...graph.constants.keys()].reduce((sum, value) => sum + parametersOf(graph, value), 0);

type Outputs = Awaited<ReturnType<typeof runOnnx>>;

/** The largest difference of any two elements, not relative to anything. */
function largestGap(expected: Outputs, actual: Outputs): number {
  let gap = 0;
  for (const [name, { data }] of expected) {
    const other = actual.get(name)?.data ?? [];
    for (let i = 0; i < data.length; i++) gap = Math.max(gap, Math.abs(Number(data[i]) - Number(other[i])));
  }
  return gap;
}

const branchesGone = (notes: readonly Note[]): readonly unknown[] =>
  notes.filter(({ outcome }) => outcome === 'pruned').map(({ details }) => details?.['branch']);

/** The graph with zeros in place of what branches compute. */
function zeroed(graph: Graph, ids: readonly unknown[]): Graph {
  const draft = editGraph(graph);
  const zero = draft.fresh('zero');
  draft.setConstant(zero, floats([0], []));
  for (const { id, node, slot } of branchesOf(graph)) {
    if (!ids.includes(id)) continue;
    const nothing = draft.fresh('nothing');
    const made = { id: draft.fresh('zeroed'), op: 'Mul', inputs: [node.inputs[slot], zero], outputs: [nothing] };
    draft.insertBefore(node.id, createNode(made));
    draft.replace(node.id, { ...node, inputs: node.inputs.map((value, i) => (i === slot ? nothing : value)) });
  }
  return draft.finish();
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
const millions = (count: number) => `${(count / 1e6).toFixed(3)}M`;

function read(path: string): Graph {
  const bytes = readFileSync(path);
  if (!path.endsWith('.gz')) return simplify(decodeOnnx(new Uint8Array(bytes)));
  return randomizeWeights(simplify(decodeOnnx(new Uint8Array(gunzipSync(bytes)))), 1);
}

async function measure(path: string, name: string): Promise<{ readonly text: string; readonly good: boolean }> {
  const graph = read(path);
  let start = performance.now();
  const net = coupled(graph);
  const { groups } = net;
  const grouping = performance.now() - start;
  const prunable = groups.filter((group) => group.prunable);
  const exact = prunable.filter((group) => !group.changesStatistics);
  const all = parametersIn(graph);
  const rest = untouched(graph, exact);
  const largest = (list: readonly (readonly [ValueId, number])[]) =>
    list
      .slice(0, 3)
      .map(([value, count]) => `${value} ${count}`)
      .join(', ');
  const held = (list: readonly (readonly [ValueId, number])[]) => list.reduce((sum, [, count]) => sum + count, 0);
  const lines = [
    `${name}: ${exact.length} groups of ${exact.reduce((sum, { units }) => sum + units, 0)} units, found in ${grouping.toFixed(0)} ms`,
    `  share ${percent(1 - held(rest) / all)}; the rest: ${largest(rest)}`,
  ];
  if (exact.length < prunable.length) {
    const last = untouched(graph, prunable);
    lines.push(`  with norms ${percent(1 - held(last) / all)}; the rest: ${largest(last) || 'nothing'}`);
  }
  let good = true;
  const scores = scoreUnits(net, exact, { pruner: magnitude() });
  const allScores = exact.length === prunable.length ? scores : scoreUnits(net, prunable, { pruner: magnitude() });
  const cost = costModel(net);
  const feeds = randomFeeds(graph, { sizes });
  const sparsity = 0.5;
  const choices: (readonly ['layer' | 'global', Goal, 'statistics'?])[] = [
    ['layer', 'units'],
    ['global', 'units'],
    ['global', 'macs'],
    ['global', 'parameters'],
  ];
  if (exact.length < prunable.length) choices.push(['layer', 'units', 'statistics']);
  for (const [scope, goal, statistics] of choices) {
    const removals = chooseUnits(statistics ? allScores : scores, cost, { sparsity, goal, scope });
    start = performance.now();
    const small = cut(net, removals);
    const cutting = performance.now() - start;
    const predicted = cost(new Map([...removals].map(([id, units]) => [id, units.length])));
    const before = cost(new Map());
    const reached = goal === 'units' ? sparsity : 1 - predicted[goal] / before[goal];
    const right = predicted.parameters === parametersIn(small);
    const masked = await runOnnx(normsOverKept(maskGroups(net, removals), net, removals), feeds);
    const result = await runOnnx(small, feeds);
    const difference = largestDifference(masked, result);
    good &&= right && (difference <= tolerance || largestGap(masked, result) <= rounding);
    lines.push(
      `  ${scope} ${goal} ${sparsity}${statistics ? ' with statistics' : ''}: ${millions(before.parameters)} -> ${millions(predicted.parameters)} parameters${right ? '' : ` (WRONG: ${parametersIn(small)})`}, MACs -${percent(1 - predicted.macs / before.macs)}, ${goal === 'units' ? '' : `reached ${reached.toFixed(3)}, `}cut in ${cutting.toFixed(0)} ms, difference ${difference.toExponential(1)}`,
    );
  }
  for (const attention of ['head', 'head-dimension'] as const) {
    const heads = coupled(graph, { attention });
    const found = heads.groups.filter((group) => group.attention && group.prunable);
    if (found.length === 0) continue;
    const removals = new Map(found.map(({ id, units }) => [id, Array.from({ length: units >> 1 }, (_, i) => i)]));
    const masked = await runOnnx(maskGroups(heads, removals), feeds);
    const difference = largestDifference(masked, await runOnnx(cut(heads, removals), feeds));
    good &&= difference <= tolerance;
    lines.push(`  half of ${attention} of ${found.length} groups: difference ${difference.toExponential(1)}`);
  }
  const branches = branchesOf(graph);
  if (branches.length > 0) {
    start = performance.now();
    const { graph: small, notes } = layerPruning({ pruner: magnitude(), measure: 'mean', goal: 'macs', sparsity: 0.3 })(
      graph,
    ).apply(noEvidence);
    const took = performance.now() - start;
    const before = await runOnnx(zeroed(graph, branchesGone(notes)), feeds);
    const difference = largestDifference(before, await runOnnx(small, feeds));
    good &&= difference <= tolerance;
    lines.push(
      `  ${branches.length} branches, in ${took.toFixed(0)} ms: ${notes.at(-1)?.reason} Difference ${difference.toExponential(1)}`,
    );
  }
  lines.push(`  peak memory ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB`);
  return { text: lines.join('\n'), good };
}

const folder = modelsFolder();
if (!folder) throw new Error('no folder of models: set ESPALIER_MODELS');
const [mode, ...rest] = process.argv.slice(2);
if (mode === '--one') {
  const [path, name] = rest as [string, string]; // as called below
  const { text, good } = await measure(path, name);
  console.log(text);
  if (!good) process.exitCode = 1;
} else {
  const models = [
    ...readdirSync(`${folder}/topologies`).map(
      (file) => [`${folder}/topologies/${file}`, file.split('.')[0]!] as const,
    ),
    ...readdirSync(folder)
      .filter((file) => file.endsWith('.onnx'))
      .map((file) => [`${folder}/${file}`, file.split('.')[0]!] as const),
  ];
  const wanted = mode === undefined ? undefined : [mode, ...rest];
  for (const [path, name] of models) {
    if (wanted && !wanted.includes(name)) continue;
    const self = fileURLToPath(import.meta.url);
    const { status } = spawnSync(process.execPath, [...process.execArgv, self, '--one', path, name], {
      stdio: 'inherit',
    });
    if (status !== 0) process.exitCode = 1;
  }
}
