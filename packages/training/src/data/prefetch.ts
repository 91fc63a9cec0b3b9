/**
 * Runs `make` for the numbers from `from` up to `to`, `ahead` of the reader: where the runtime trains in threads of
 * its own, the next batches are decoded and varied meanwhile. A reader that stops early leaves nothing behind.
 */
export async function* prefetch<T>(
  make: (index: number) => Promise<T>,
  { from, to, ahead = 2 }: { readonly from: number; readonly to: number; readonly ahead?: number },
): AsyncGenerator<T> {
  const waiting: Promise<T>[] = [];
  let next = from;
  const fill = () => {
    while (waiting.length < ahead && next < to) {
      const index = next++;
      // After the reader's turn: it hands its batch to the runtime first, and this thread works while that runs.
      const made = new Promise<void>((go) => setTimeout(go)).then(() => make(index));
      made.catch(() => {}); // reported when it is awaited, which may be later or never
      waiting.push(made);
    }
  };
  fill();
  while (waiting.length > 0) {
    const first = await waiting.shift()!;
    fill();
    yield first;
  }
}
