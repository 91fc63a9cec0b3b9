/** Nodes of a search that wait, the one of least bound first. */
export interface OpenNodes<T extends { readonly bound: number }> {
  push(node: T): void;
  pop(): T | undefined;
  /** The least bound that waits. */
  least(): number | undefined;
}

/** Beyond so many, the newest goes first: they are deeper, so the list grows no further. */
const most = 20_000;

/** A binary heap by bound; a plain list on top of it where it is full. */
export function openNodes<T extends { readonly bound: number }>(): OpenNodes<T> {
  const heap: T[] = [];
  const stack: T[] = [];
  let stackLeast = Number.POSITIVE_INFINITY;
  const swap = (i: number, j: number) => ([heap[i], heap[j]] = [heap[j]!, heap[i]!]);
  const siftUp = () => {
    for (let at = heap.length - 1; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (heap[parent]!.bound <= heap[at]!.bound) return;
      swap(at, parent);
      at = parent;
    }
  };
  const siftDown = () => {
    for (let at = 0; ; ) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < heap.length && heap[child]!.bound < heap[least]!.bound) least = child;
      }
      if (least === at) return;
      swap(at, least);
      at = least;
    }
  };
  return {
    push(node) {
      if (heap.length < most) {
        heap.push(node);
        siftUp();
      } else {
        stack.push(node);
        stackLeast = Math.min(stackLeast, node.bound);
      }
    },
    pop() {
      const newest = stack.pop();
      if (newest) {
        if (stack.length === 0) stackLeast = Number.POSITIVE_INFINITY;
        return newest;
      }
      const first = heap[0];
      const last = heap.pop();
      if (last && heap.length > 0) {
        heap[0] = last;
        siftDown();
      }
      return first;
    },
    least: () => (stack.length > 0 ? Math.min(stackLeast, heap[0]?.bound ?? stackLeast) : heap[0]?.bound),
  };
}
