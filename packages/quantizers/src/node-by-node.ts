import {
  type AxisRules,
  type Compressor,
  type Graph,
  inSight,
  type Node,
  type Note,
  type Rounding,
  subgraphsOf,
  type ValueId,
  withBodies,
} from '@espalier/core';
import type { OtherPrecision } from '@espalier/passes';
import { type MadeConstants, madeConstants } from './made-constants.js';
import { noteNodes, type Verdict } from './note-nodes.js';
import { prepareGraph } from './prepare-graph.js';
import { type GraphWriter, writeBody, writeGraph } from './quantized-graph.js';
import { type RoundNode, roundNothing } from './rounded/round-node.js';
import { roundedCompression } from './rounded/rounded-compression.js';

/** The outcome for a node: the form it is written in with its line of the report, or the reason why it stays float. */
export type Fate<Form extends string> =
  | { readonly form: Form; readonly verdict: Verdict }
  | { readonly form: 'float'; readonly reason: string };

/** A node that stays float. */
export const float = (reason: string) => ({ form: 'float', reason }) as const;

/** The state that the writers of forms share. */
export interface NodeWriting {
  /** The prepared graph, or a subgraph with all that it can read in sight. */
  readonly graph: Graph;
  readonly writer: GraphWriter;
  /** Constants that were written in another form; they fall away where nobody else reads them. */
  readonly replaced: Set<ValueId>;
  readonly made: MadeConstants;
  /** Rounds the weights of nodes. */
  readonly round: RoundNode;
  /** Axis rules of custom ops. */
  readonly rules: AxisRules;
}

/** A quantizer that decides each node by itself. */
export interface NodeByNode<Form extends string> {
  /** The operator set that its forms need. */
  readonly opset: number;
  /** The types of layers that its forms do not take: these compute in float32 then. Default: all but float32. */
  readonly single?: readonly OtherPrecision[];
  /** Whether only the bodies of If, Loop and Scan are quantized, and have notes. */
  readonly bodiesOnly?: boolean;
  /** `rules` say how the axes of custom ops relate. */
  fateOf(graph: Graph, node: Node, rules: AxisRules): Fate<Form>;
  /** The writers of one graph, by form. */
  writers(writing: NodeWriting): Readonly<Record<Form, (node: Node) => void>>;
  /** The rounding of weights, and the forms that take it. Default: each weight to the nearest point. */
  readonly rounding?: { readonly rounding: Rounding; readonly forms: readonly Form[] } | undefined;
  /** Forms that are com.microsoft ops. */
  readonly contrib: readonly Form[];
}

/**
 * The compressor of such a quantizer; it reaches into the bodies of If, Loop and Scan. It gives
 * back the very graph where every node stays float.
 */
export function nodeByNode<Form extends string>({
  opset,
  single,
  bodiesOnly = false,
  fateOf,
  writers,
  contrib,
  rounding,
}: NodeByNode<Form>): Compressor {
  return (given, { axes: rules = new Map() } = {}) => {
    const { graph, stored } = prepareGraph(given, { opset, ...(single ? { single } : {}) });
    const plan = planOf(graph, (body, node) =>
      bodiesOnly && body === graph ? float('only bodies are quantized') : fateOf(body, node, rules),
    );
    const notes = bodiesOnly ? bodyNotesOf(plan) : notesOf(plan);
    const forms = formsOf(plan);
    const opsets = contrib.some((form) => forms.has(form))
      ? new Map([...graph.opsets, ['com.microsoft', 1] as const])
      : graph.opsets;
    return roundedCompression({
      graph,
      rounding: rounding?.rounding,
      nodes: rounding ? graph.nodes.filter((node) => takes(rounding.forms, plan.fates.get(node.id)!)) : [],
      write(evidenced, round) {
        if ([...forms].every((form) => form === 'float')) return { graph: given, notes };
        const writer = writeGraph(evidenced);
        const replaced = new Set<ValueId>();
        writeNodes({ ...plan, graph: evidenced }, { writer, replaced, made: madeConstants(), rules, round, writers });
        return { graph: stored(writer.finish(replaced, opsets)), notes };
      },
    });
  };
}

const takes = <Form extends string>(forms: readonly Form[], fate: Fate<Form>): boolean =>
  fate.form !== 'float' && forms.includes(fate.form as Form); // the narrowing does not see through the union

/** The fates of the nodes of a graph, and the plans of its subgraphs. */
interface Plan<Form extends string> {
  /** The graph with what surrounds it in sight. */
  readonly graph: Graph;
  readonly fates: ReadonlyMap<string, Fate<Form>>;
  readonly bodies: ReadonlyMap<Graph, Plan<Form>>;
}

function planOf<Form extends string>(graph: Graph, fateOf: (graph: Graph, node: Node) => Fate<Form>): Plan<Form> {
  const bodies = graph.nodes.flatMap(subgraphsOf);
  return {
    graph,
    fates: new Map(graph.nodes.map((node) => [node.id, fateOf(graph, node)])),
    bodies: new Map(bodies.map((body) => [body, planOf(inSight(body, graph), fateOf)])),
  };
}

const notesOf = <Form extends string>(plan: Plan<Form>): readonly Note[] => [
  ...noteNodes(plan.graph, (node) => verdictOf(plan.fates.get(node.id)!)),
  ...bodyNotesOf(plan),
];

const bodyNotesOf = <Form extends string>({ bodies }: Plan<Form>): readonly Note[] =>
  [...bodies.values()].flatMap(notesOf);

const formsOf = <Form extends string>({ fates, bodies }: Plan<Form>): ReadonlySet<string> =>
  new Set(
    [...fates.values()].map(({ form }): string => form).concat(...[...bodies.values()].map((b) => [...formsOf(b)])),
  );

function writeNodes<Form extends string>(
  { graph, fates, bodies }: Plan<Form>,
  writing: Omit<NodeWriting, 'graph'> & Pick<NodeByNode<Form>, 'writers'>,
): void {
  const { writer, replaced, writers } = writing;
  const write = { ...writers({ ...writing, graph }), float: (node: Node) => writer.emit(node) };
  for (const node of graph.nodes) {
    const whole = withBodies(node, (body) => {
      const plan = bodies.get(body)!; // every body has one
      const inner = writeBody(body, plan.graph, writer);
      writeNodes(plan, { ...writing, writer: inner, round: writing.round.bodies ?? roundNothing });
      return inner.finish(replaced);
    });
    write[fates.get(node.id)!.form](whole);
  }
}

const verdictOf = (fate: Fate<string>): Verdict =>
  'verdict' in fate ? fate.verdict : { outcome: 'float', reason: fate.reason };
