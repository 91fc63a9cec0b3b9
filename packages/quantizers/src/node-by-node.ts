import type { Compressor, Graph, Node, ValueId } from '@espalier/core';
import { noteNodes, type Verdict } from './note-nodes.js';
import { prepareGraph } from './prepare-graph.js';
import { type GraphWriter, writeGraph } from './quantized-graph.js';

/** What becomes of a node: the form it is written in and what a report says of that, or why it stays float. */
export type Fate<Form extends string> =
  | { readonly form: Form; readonly verdict: Verdict }
  | { readonly form: 'float'; readonly reason: string };

/** A node that stays float. */
export const float = (reason: string) => ({ form: 'float', reason }) as const;

/** What the writers of forms share. */
export interface NodeWriting {
  /** The prepared graph. */
  readonly graph: Graph;
  readonly writer: GraphWriter;
  /** Constants that were written in another form; they fall away where nobody else reads them. */
  readonly replaced: Set<ValueId>;
}

/** A quantizer that decides each node by itself. */
export interface NodeByNode<Form extends string> {
  /** The operator set that its forms need. */
  readonly opset: number;
  fateOf(graph: Graph, node: Node): Fate<Form>;
  /** The writers of one graph, by form. */
  writers(writing: NodeWriting): Readonly<Record<Form, (node: Node) => void>>;
  /** Forms that are com.microsoft ops. */
  readonly contrib: readonly Form[];
}

/** The compressor of such a quantizer. It needs no data, and gives back the very graph where every node stays float. */
export function nodeByNode<Form extends string>({ opset, fateOf, writers, contrib }: NodeByNode<Form>): Compressor {
  return (given) => {
    const graph = prepareGraph(given, opset);
    const fates = new Map(graph.nodes.map((node) => [node.id, fateOf(graph, node)] as const));
    const notes = noteNodes(graph, (node) => verdictOf(fates.get(node.id)!));
    const forms = new Set([...fates.values()].map(({ form }) => form));
    return {
      graph,
      needs: [],
      apply() {
        if ([...forms].every((form) => form === 'float')) return { graph: given, notes };
        const writer = writeGraph(graph);
        const replaced = new Set<ValueId>();
        const write = { ...writers({ graph, writer, replaced }), float: (node: Node) => writer.emit(node) };
        for (const node of graph.nodes) write[fates.get(node.id)!.form](node);
        const opsets = contrib.some((form) => forms.has(form))
          ? new Map([...graph.opsets, ['com.microsoft', 1] as const])
          : graph.opsets;
        return { graph: writer.finish(replaced, opsets), notes };
      },
    };
  };
}

const verdictOf = (fate: Fate<string>): Verdict =>
  'verdict' in fate ? fate.verdict : { outcome: 'float', reason: fate.reason };
