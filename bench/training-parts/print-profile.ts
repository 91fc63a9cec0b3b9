/** Time spent in one kernel. */
export interface KernelTime {
  readonly key: string;
  readonly milliseconds: number;
}

/** Prints where the time of a step goes: per key its share, milliseconds and how often it ran, the largest first. */
export function printProfile(
  title: string,
  times: readonly KernelTime[],
  { steps, lines = 28 }: { readonly steps: number; readonly lines?: number },
): void {
  const sums = new Map<string, { milliseconds: number; count: number }>();
  let total = 0;
  for (const { key, milliseconds } of times) {
    const sum = sums.get(key) ?? { milliseconds: 0, count: 0 };
    sums.set(key, { milliseconds: sum.milliseconds + milliseconds, count: sum.count + 1 });
    total += milliseconds;
  }
  console.log(`\n${title}: ${(total / steps).toFixed(1)} ms a step in ${times.length / steps} kernels`);
  for (const [key, { milliseconds, count }] of [...sums]
    .sort((a, b) => b[1].milliseconds - a[1].milliseconds)
    .slice(0, lines)) {
    const share = ((100 * milliseconds) / total).toFixed(1).padStart(5);
    console.log(
      `${share} %  ${(milliseconds / steps).toFixed(2).padStart(8)} ms  ${String(count / steps).padStart(5)}  ${key}`,
    );
  }
}
