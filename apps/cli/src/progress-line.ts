import { EspalierError } from '@espalier/core';
import { interruptedCode } from './exit-codes.js';
import type { Surroundings } from './surroundings.js';

/** Shows progress until it is closed: one redrawn line on a terminal, a plain line per stage elsewhere. */
export interface ProgressLine {
  /** `done` is the share of the stage from 0 to 1, where known. @throws INTERRUPTED once the user asked to stop. */
  show(stage: string, done?: number, message?: string): void;
  close(): void;
}

const width = 24;

/** Progress with a bar, the rate and the time left on a terminal; nothing at all when `quiet`. */
export function progressLine(to: Surroundings, { quiet = false }: { readonly quiet?: boolean } = {}): ProgressLine {
  const check = () => {
    if (to.interrupted?.()) throw new EspalierError(interruptedCode, 'stopped; nothing was replaced.');
  };
  if (quiet) return { show: check, close: () => {} };
  let stage = '';
  let since = performance.now();
  let drawn = 0;
  return {
    show(now, done, message) {
      check();
      const fresh = now !== stage;
      if (fresh) {
        if (to.terminal && stage) to.error(`\r\x1b[2K${stage} ${seconds(performance.now() - since)}\n`);
        if (!to.terminal) to.error(`${now}\n`);
        [stage, since, drawn] = [now, performance.now(), 0];
      }
      if (!to.terminal || (!fresh && performance.now() - drawn < 80)) return;
      drawn = performance.now();
      to.error(`\r\x1b[2K${bar(now, done, performance.now() - since)}${message ? ` ${message}` : ''}`);
    },
    close() {
      if (to.terminal && stage) to.error(`\r\x1b[2K${stage} ${seconds(performance.now() - since)}\n`);
      stage = '';
    },
  };
}

function bar(stage: string, done: number | undefined, elapsed: number): string {
  if (done === undefined) return `${stage} ...`;
  const share = Math.min(1, Math.max(0, done));
  const full = Math.round(share * width);
  const left = share > 0.02 ? `, ${seconds((elapsed / share) * (1 - share))} left` : '';
  return `${stage} [${'#'.repeat(full)}${'.'.repeat(width - full)}] ${Math.round(share * 100)}% ${seconds(elapsed)}${left}`;
}

const seconds = (ms: number): string =>
  ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
