import { type GraphFunction, type Node, subgraphsOf } from '@espalier/core';

const keyOf = (op: string, overload: string | undefined) => `${op}\0${overload ?? ''}`;

/**
 * A function that calls itself, straight or through others; undefined when there is none. ONNX forbids it, and
 * whoever puts bodies in place of calls would never end.
 */
export function findRecursion(functions: readonly GraphFunction[]): GraphFunction | undefined {
  const byKey = new Map(functions.map((each) => [keyOf(each.op, each.overload), each]));
  const done = new Set<GraphFunction>();
  for (const start of functions) {
    const open = new Set<GraphFunction>();
    // An explicit stack: a long chain of calls must not overflow the call stack.
    const stack = [start];
    while (stack.length > 0) {
      const each = stack.at(-1)!;
      if (done.has(each) || open.has(each)) {
        done.add(each);
        open.delete(each);
        stack.pop();
        continue;
      }
      open.add(each);
      for (const called of each.nodes.flatMap(callsOf)) {
        const target = byKey.get(called);
        if (target === undefined || done.has(target)) continue;
        if (open.has(target)) return target;
        stack.push(target);
      }
    }
  }
  return undefined;
}

const callsOf = (node: Node): readonly string[] => [
  keyOf(node.op, node.overload),
  ...subgraphsOf(node).flatMap((body) => body.nodes.flatMap(callsOf)),
];
