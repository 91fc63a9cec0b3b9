import { Command, CommanderError } from 'commander';
import { exitCodes, interruptedCode } from './exit-codes.js';
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
  const named = args.find((word) => !word.startsWith('-') && word !== 'help');
  try {
    for (const entry of verbs) {
      const command = program.command(entry.name).description(entry.about);
      for (const [argument, meaning] of Object.entries(entry.arguments)) command.argument(argument, meaning);
      if (entry.name !== named) continue; // the others are only listed: algorithms are loaded when they are called
      command.addHelpText('after', `\nExamples:\n${entry.examples.map((line) => `  ${line}\n`).join('')}`);
      const verb = await entry.load();
      verb(command, surroundings);
    }
    for (const command of [program, ...program.commands]) {
      command.exitOverride().configureOutput({ writeOut: surroundings.out, writeErr: surroundings.error });
    }
    await program.parseAsync([...args], { from: 'user' });
    return exitCodes.done;
  } catch (error) {
    return report(error, surroundings);
  }
}

async function report(error: unknown, { error: print, environment }: Surroundings): Promise<number> {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  const [{ EspalierError }, { safeText }] = await Promise.all([import('@espalier/core'), import('@espalier/analysis')]);
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
