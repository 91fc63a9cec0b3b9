import { type AnyPlugin, type AxisRules, createRandom, type Graph, toFloats } from '@espalier/core';
import { type CoupledGraph, coupled, cut, type Group, maskGroups, type Removals } from '@espalier/pruners';
import { type AxisExample, type ExampleGraph, exampleGraph, type ReferenceOp, runExample } from './axis-example.js';
import { thrownText } from './errors.js';
import { fingerprint } from './graph-fingerprint.js';
import { type Check, type Kit, must } from './kit.js';
import { build, pluginChecks } from './plugin-checks.js';

/** Options of the kit for axis rules. */
export interface AxisRuleUnderTest {
  /** Uses of the op: every form, with sizes that differ from each other. */
  readonly examples: readonly AxisExample[];
  /** A reference for the op; slow and obvious is best. */
  readonly reference: ReferenceOp;
  /** Largest difference that rounding explains, relative to the result. Default: 1e-4. */
  readonly tolerance?: number;
}

const opName = { pattern: /^[A-Za-z_][\w.]*::[A-Za-z_]\w*$/, like: '`acme::Scale`, the name of the op' };
const unrelated = 'no op relates it to what the graph computes';

/**
 * The contract of axis rules: answer every axis of every input and output, let something be cut,
 * and describe an op for which removing units is the same as setting them to zero.
 */
export function describeAxisRule(plugin: AnyPlugin<'axes'>, test: AxisRuleUnderTest): Kit {
  const rules: AxisRules = new Map([[plugin.id, build(plugin, {})]]);
  const tried = test.examples.map((example) => ({
    name: example.name,
    make: () => exampleGraph(plugin.id, example, test.reference),
  }));
  return {
    about: `axes ${plugin.id}`,
    checks: [
      ...pluginChecks(plugin, {}, opName),
      {
        name: 'lets something be cut',
        run() {
          const some = tried.some(({ make }) => cuttable(coupled(make().graph, { rules })).length > 0);
          must(some, `axes ${plugin.id}`, { expected: 'an axis in some example that can be cut', found: 'none' });
        },
      },
      ...tried.flatMap(({ name, make }) => checksOn(plugin.id, { name, make, rules, test })),
    ],
  };
}

const cuttable = ({ groups }: CoupledGraph): readonly Group[] =>
  groups.filter(({ prunable, changesStatistics }) => prunable && !changesStatistics);

interface Tried {
  readonly name: string;
  readonly make: () => ExampleGraph;
  readonly rules: AxisRules;
  readonly test: AxisRuleUnderTest;
}

function checksOn(op: string, { name, make, rules, test }: Tried): readonly Check[] {
  const where = `axes ${op}, ${name}`;
  return [
    {
      name: `answers every axis (${name})`,
      run() {
        const { graph, sources, readers } = make();
        for (const { slices, reason } of coupled(graph, { rules }).groups) {
          const { value, axis } = slices[0]!; // a group has a slice
          const told = reason === unrelated ? sources.get(value) : undefined;
          must(told === undefined, where, {
            expected: `axis ${axis} of input ${told} to be related or pinned`,
            found: 'neither',
          });
          const alone = reason === undefined && slices.every((each) => readers.has(each.value));
          must(!alone, where, {
            expected: `axis ${axis} of output ${readers.get(value)} to be related to an input or pinned`,
            found: 'neither',
          });
        }
      },
    },
    {
      name: `does not change the graph (${name})`,
      run() {
        const { graph } = make();
        const before = fingerprint(graph);
        const net = coupled(graph, { rules });
        for (const removals of removalsOf(net)) cut(net, removals);
        must(fingerprint(graph) === before, where, { expected: 'the graph as it was', found: 'a changed argument' });
      },
    },
    {
      name: `computes after a cut what it computes masked (${name})`,
      run() {
        const example = make();
        const net = coupled(example.graph, { rules });
        for (const removals of removalsOf(net)) {
          const gone = [...removals].map(([id, units]) => `units ${units} of ${id}`).join(', ');
          compareCut(op, { example, net, removals, test, where: `${where}, without ${gone}` });
        }
      },
    },
  ];
}

/** The first, the last and every second unit of each group, and some of all groups at once. */
function removalsOf(net: CoupledGraph): readonly Removals[] {
  const groups = cuttable(net).filter(({ units }) => units > 1);
  const every = (count: number, from: number) =>
    Array.from({ length: count }, (_, i) => i).filter((i) => i % 2 === from && count > 1);
  const single = groups.flatMap(({ id, units }) =>
    [[0], [units - 1], every(units, 0), every(units, 1)]
      .filter((list) => list.length < units)
      .map((list): Removals => new Map([[id, list]])),
  );
  const random = createRandom(3);
  const all = new Map(
    groups.map(({ id, units }) => [
      id,
      [...random.permutation(units)].slice(0, 1 + random.below(units - 1)).sort((a, b) => a - b),
    ]),
  );
  return groups.length > 1 ? [...single, all] : single;
}

function compareCut(
  op: string,
  {
    example,
    net,
    removals,
    test,
    where,
  }: Pick<Tried, 'test'> & {
    readonly example: ExampleGraph;
    readonly net: CoupledGraph;
    readonly removals: Removals;
    readonly where: string;
  },
): void {
  const { graph, readers } = example;
  const masked = maskGroups(net, removals);
  // The readers stay: what a masked unit still holds is to be seen.
  const constants = new Map(masked.constants);
  for (const reader of readers.keys()) constants.set(reader, graph.constants.get(reader)!);
  const run = (of: Graph) => {
    try {
      return runExample(example, of, { op, reference: test.reference, where });
    } catch (error) {
      must(false, where, { expected: 'a node that computes', found: thrownText(error) });
      throw error;
    }
  };
  const wanted = run({ ...masked, constants });
  const found = run(cut(net, removals));
  for (const [name, tensor] of wanted) {
    const [a, b] = [toFloats(tensor), toFloats(found.get(name)!)]; // both have the same outputs
    const worst = a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!) / (1 + Math.abs(value))), 0);
    must(worst <= (test.tolerance ?? 1e-4), `${where}, ${name}`, {
      expected: `${[...a.slice(0, 4)].join(', ')}, as masked`,
      found: [...b.slice(0, 4)].join(', '),
    });
  }
}
