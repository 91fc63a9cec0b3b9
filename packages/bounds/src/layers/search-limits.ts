/** When an exact search stops before it has looked everywhere. */
export interface SearchLimits {
  /** Most nodes visited: the same result on every machine. Default: no limit. */
  readonly nodes?: number;
  /** Milliseconds: results depend on the machine. Default: no limit. */
  readonly milliseconds?: number;
  /** Solutions better by less than this share are not looked for. Default: 0. */
  readonly gap?: number;
}

/** Counts nodes against limits. */
export interface Budget {
  /** Counts one node; false where a limit is reached. */
  spend(): boolean;
  spent(): number;
  exhausted(): boolean;
}

/** A new budget. The clock is read every 256 nodes. */
export function createBudget({ nodes = Number.POSITIVE_INFINITY, milliseconds }: SearchLimits): Budget {
  const deadline = milliseconds === undefined ? undefined : performance.now() + milliseconds;
  let spent = 0;
  let exhausted = false;
  return {
    spend() {
      if (spent >= nodes || (deadline !== undefined && spent % 256 === 0 && performance.now() >= deadline)) {
        exhausted = true;
        return false;
      }
      spent++;
      return true;
    },
    spent: () => spent,
    exhausted: () => exhausted,
  };
}
