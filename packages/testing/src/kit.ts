import { EspalierError, shown } from '@espalier/core';
import { brokenContract, thrownText } from './errors.js';

/** One thing that a plugin must do; `run` throws when it does not. */
export interface Check {
  /** A sentence about behaviour. */
  readonly name: string;
  run(): void | Promise<void>;
}

/** All checks that a plugin of some kind must pass. */
export interface Kit {
  readonly about: string;
  readonly checks: readonly Check[];
}

/** The functions of a test framework that a kit uses: vitest, jest, mocha, node:test and bun:test all have it. */
export interface TestFrame {
  describe(name: string, body: () => void): unknown;
  it(name: string, body: () => void | Promise<void>): unknown;
}

/** Declares the checks of a kit as tests: `runKit(describePruner(mine), { describe, it })`. */
export function runKit(kit: Kit, { describe, it }: TestFrame): void {
  describe(kit.about, () => {
    for (const check of kit.checks) it(check.name, () => check.run());
  });
}

/** Runs a kit without a framework: one line for each check that fails, none when all is well. */
export async function failuresOf(kit: Kit): Promise<readonly string[]> {
  const failures: string[] = [];
  for (const check of kit.checks) {
    try {
      await check.run();
    } catch (error) {
      failures.push(`${kit.about}: ${check.name}: ${thrownText(error)}`);
    }
  }
  return failures;
}

/** @throws KIT_FAILED when a condition does not hold. */
export function must(
  holds: boolean,
  where: string,
  told: { readonly expected: string; readonly found: unknown },
): void {
  if (holds) return;
  const found = typeof told.found === 'string' ? told.found : shown(told.found);
  throw brokenContract(where, { expected: told.expected, found });
}

/** @throws KIT_FAILED unless `act` fails with an EspalierError of this code, or of one that begins so: `EXECUTOR_*`. */
export async function mustFail(code: string, where: string, act: () => unknown): Promise<void> {
  try {
    await act();
  } catch (error) {
    const found = (error as { readonly code?: unknown } | undefined)?.code; // anything may have been thrown
    const fits = code.endsWith('*') ? `${found}`.startsWith(code.slice(0, -1)) : found === code;
    must(error instanceof EspalierError && fits, where, {
      expected: `an EspalierError ${code}`,
      found: thrownText(error),
    });
    return;
  }
  throw brokenContract(where, { expected: `an EspalierError ${code}`, found: 'no error' });
}
