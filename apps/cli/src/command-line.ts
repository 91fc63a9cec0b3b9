import { safeText } from '@espalier/analysis';
import { EspalierError } from '@espalier/core';
import { Command, CommanderError } from 'commander';
import { exitCodes } from './exit-codes.js';
import { interruptedCode } from './progress-line.js';
import type { Surroundings } from './surroundings.js';
import { verbs } from './verbs/index.js';
import { version } from './version.js';

/**
 * Runs the command line on its arguments and returns the exit code: 0 done, 1 bad input, 2 usage, 3 a bug in
 * Espalier. Never throws.
 */
export async function runCommandLine(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const program = new Command('espalier')
    .description('Make trained neural networks smaller and faster, and report the cost.')
    .version(version, '--version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .showSuggestionAfterError()
    .enablePositionalOptions();
  for (const verb of verbs) verb(program, surroundings);
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({ writeOut: surroundings.out, writeErr: surroundings.error });
  }
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exitCodes.done;
  } catch (error) {
    return report(error, surroundings);
  }
}

function report(error: unknown, { error: print, environment }: Surroundings): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  if (error instanceof EspalierError) {
    print(`${error.code}: ${safeText(error.message)}\n`);
    if (error.code === interruptedCode) return exitCodes.interrupted;
    if (environment['ESPALIER_DEBUG']) print(`${error.stack}\n`);
    return exitCodes.badInput;
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  print(
    `BUG: this is a fault of Espalier, not of your input. Please report it with the model and the command.\n${stack}\n`,
  );
  return exitCodes.bug;
}
