import {
  type AnyPlugin,
  bitsOf,
  type CodeType,
  type Compressor,
  checkGraph,
  type Executor,
  type Graph,
  isInteger,
  type Node,
  opsetOf,
  type Target,
  type TargetCodes,
} from '@espalier/core';
import { isOpName } from '@espalier/ops';
import { fingerprint } from './graph-fingerprint.js';
import { type Check, type Kit, must } from './kit.js';
import { build, type PluginUnderTest, pluginChecks } from './plugin-checks.js';
import { randomFeeds } from './random-feeds.js';
import { type SampleGraph, sampleGraphs } from './sample-graphs.js';
import { syntheticEvidence } from './synthetic-evidence.js';

/** Options of the kit for targets. */
export interface TargetUnderTest extends PluginUnderTest {
  /** Quantizers that write for the target, by name: `{ static: (target) => staticQuantizer({ target, ... }) }`. */
  readonly quantizers?: Readonly<Record<string, (target: Target) => Compressor>>;
  /** Graphs to quantize; the samples of this package when left out. */
  readonly graphs?: readonly SampleGraph[];
  /** The runtime, to see that it loads and runs what is written for the target. */
  readonly executor?: Executor;
}

/** The contract of targets: a table without contradictions; what quantizers write by it stays within it, and runs. */
export function describeTarget(plugin: AnyPlugin<'target'>, test: TargetUnderTest = {}): Kit {
  const graphs = test.graphs ?? sampleGraphs();
  const quantizers = Object.entries(test.quantizers ?? {});
  return {
    about: `target ${plugin.id}`,
    checks: [
      ...pluginChecks(plugin, test),
      ...tableChecks(plugin, test, graphs),
      ...quantizers.flatMap(([name, make]) =>
        graphs.flatMap((sample) => writingChecks(plugin, test, { name, make, sample })),
      ),
    ],
  };
}

const domainOf = (op: string): string => (op.includes('::') ? op.slice(0, op.indexOf('::')) : '');

function tableChecks(
  plugin: AnyPlugin<'target'>,
  test: TargetUnderTest,
  graphs: readonly SampleGraph[],
): readonly Check[] {
  const where = `target ${plugin.id}`;
  const table = () => build(plugin, test);
  return [
    {
      name: 'has a name, and knows operator sets by their version',
      run() {
        const { name, opsets } = table();
        must(name.length > 0, where, { expected: 'the name of the runtime', found: name });
        must(opsets.has(''), `${where}, opsets`, {
          expected: "a version for '', the domain of ONNX",
          found: [...opsets],
        });
        for (const [domain, version] of opsets)
          must(Number.isInteger(version) && version > 0, `${where}, opsets, "${domain}"`, {
            expected: 'a version from 1',
            found: version,
          });
      },
    },
    {
      name: 'has each type of codes once, and storage in such types',
      run() {
        const { integer, storage } = table();
        for (const of of ['activations', 'weights'] as const) {
          const types = integer[of].map(({ type }) => type);
          must(types.every(isCode), `${where}, integer.${of}`, { expected: 'integers of 2 to 16 bits', found: types });
          must(new Set(types).size === types.length, `${where}, integer.${of}`, {
            expected: 'each type once',
            found: types,
          });
        }
        const stored = storage?.types ?? ['int8'];
        must(stored.length > 0 && stored.every(isCode), `${where}, storage`, {
          expected: 'integers of 2 to 16 bits; leave storage out for none',
          found: stored,
        });
      },
    },
    {
      name: 'has integer kernels only where it has codes that they compute on',
      run() {
        const { integer } = table();
        const fused = (codes: readonly TargetCodes[]) => codes.some((each) => each.fused);
        const able = fused(integer.activations) && fused(integer.weights);
        const kernels = Object.keys(integer.kernels);
        must(able || kernels.length === 0, `${where}, integer.kernels`, {
          expected: 'activations and weights with `fused: true`, or no kernels',
          found: kernels,
        });
      },
    },
    {
      name: 'names ops that exist, in domains that it knows',
      run() {
        const { integer, dynamic, packed, opsets } = table();
        const groups = {
          kernels: integer.kernels,
          dynamic,
          packed,
          tails: Object.fromEntries(integer.tails.map((op) => [op, op])),
        };
        for (const [group, ops] of Object.entries(groups)) {
          for (const op of Object.keys(ops)) {
            const known = opsets.has(domainOf(op)) && (isOpName(op) || domainOf(op) !== '');
            must(known, `${where}, ${group}`, {
              expected: `ops of the domains ${[...opsets.keys()].map((d) => `"${d}"`).join(', ')}`,
              found: op,
            });
          }
        }
        for (const [op, { bits, blocks }] of Object.entries(packed))
          must(
            [...bits, ...blocks].every((size) => Number.isInteger(size) && size > 0) && bits.length * blocks.length > 0,
            `${where}, packed, ${op}`,
            {
              expected: 'whole numbers of bits and of weights in a block',
              found: { bits, blocks },
            },
          );
      },
    },
    {
      name: 'gives the same table every time',
      run() {
        const [first, second] = [table(), table()].map(fingerprint);
        must(first === second, where, { expected: 'equal tables', found: 'different ones' });
      },
    },
    {
      name: 'says in words what a kernel does not take',
      run() {
        const { kernels } = table().integer;
        for (const { graph } of graphs)
          for (const node of graph.nodes) {
            const obstacle = Object.hasOwn(kernels, node.op) ? kernels[node.op]?.obstacle?.(node, graph) : undefined;
            must(obstacle === undefined || obstacle.trim().length > 3, `${where}, obstacle of ${node.op}`, {
              expected: 'a clause, or undefined where the kernel takes the node',
              found: obstacle,
            });
          }
      },
    },
  ];
}

const isCode = (type: CodeType): boolean => isInteger(type) && bitsOf(type) <= 16;

interface Writing {
  readonly name: string;
  readonly make: (target: Target) => Compressor;
  readonly sample: SampleGraph;
}

function writingChecks(
  plugin: AnyPlugin<'target'>,
  test: TargetUnderTest,
  { name, make, sample }: Writing,
): readonly Check[] {
  const where = `target ${plugin.id}, ${name} on ${sample.name}`;
  const written = () => {
    const target = build(plugin, test);
    const plan = make(target)(sample.graph);
    return { target, graph: plan.apply(syntheticEvidence(plan.graph, plan.needs)).graph };
  };
  const within: Check = {
    name: `is kept to by ${name} (${sample.name})`,
    run() {
      const { target, graph } = written();
      checkGraph(graph);
      const newest = target.opsets.get('') ?? 0;
      must(opsetOf(graph) <= Math.max(newest, opsetOf(sample.graph)), where, {
        expected: `opset ${newest} at most`,
        found: opsetOf(graph),
      });
      const before = new Set(sample.graph.nodes.map(({ op }) => op));
      for (const { op } of graph.nodes)
        must(before.has(op) || target.opsets.has(domainOf(op)), where, {
          expected: 'ops that the target knows',
          found: op,
        });
      for (const node of graph.nodes) {
        const codes = codesOf(node, graph);
        must(codes === undefined || typesOf(target).has(codes), `${where}, node "${node.id}"`, {
          expected: `codes of a type in the table: ${[...typesOf(target)].join(', ')}`,
          found: codes,
        });
      }
    },
  };
  const { executor } = test;
  // Nobody can run an op that nobody knows.
  if (!executor || sample.graph.nodes.some(({ op }) => op.includes('::'))) return [within];
  return [
    within,
    {
      name: `runs what ${name} writes (${sample.name})`,
      async run() {
        const session = await executor.open(written().graph);
        try {
          const outputs = await session.run(randomFeeds(session.inputs, { batch: 2 }));
          must(outputs.size === sample.graph.outputs.length, where, {
            expected: `${sample.graph.outputs.length} outputs`,
            found: outputs.size,
          });
        } finally {
          await session.close();
        }
      },
    },
  ];
}

/** The type of the codes that a node decodes or restores from a constant or makes with a constant zero point. */
function codesOf({ op, inputs }: Node, { constants }: Graph): CodeType | undefined {
  const slot = op === 'DequantizeLinear' ? 0 : op === 'QuantizeLinear' ? 2 : undefined;
  const dtype = slot === undefined ? undefined : constants.get(inputs[slot] ?? '')?.dtype;
  return dtype !== undefined && isInteger(dtype) && bitsOf(dtype) <= 16 ? (dtype as CodeType) : undefined; // as checked
}

const typesOf = ({ integer, storage }: Target): ReadonlySet<CodeType> =>
  new Set([...integer.activations, ...integer.weights].map(({ type }) => type).concat(storage?.types ?? []));
