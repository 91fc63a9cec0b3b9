import { type EspalierError, problem } from './errors.js';
import { didYouMean } from './nearest.js';

/** A feed does not fit the model's input; `known` names the inputs there are, `fix` says what else may help. */
export const wrongFeed = (
  name: string,
  {
    expected,
    found,
    fix,
    known,
  }: { readonly expected: string; readonly found: string; readonly fix?: string; readonly known?: readonly string[] },
): EspalierError =>
  problem('EXECUTOR_INPUT', {
    where: `input "${name}"`,
    expected,
    found,
    fix: `${known ? didYouMean(name, known) : ''}${fix ?? ''}`.trim(),
    details: { input: name },
  });

/** A name was fetched that is not an output. */
export const unknownOutput = (name: string, known: readonly string[]): EspalierError =>
  problem('EXECUTOR_OUTPUT', {
    where: `output "${name}"`,
    expected: `one of the outputs ${known.join(', ')}`,
    found: `"${name}"`,
    fix: didYouMean(name, known).trim(),
    details: { output: name },
  });

/** A session was used after `close()`. */
export const closedAlready = (what: string): EspalierError =>
  problem('EXECUTOR_CLOSED', {
    where: what,
    expected: 'an open one',
    found: 'that it was closed before',
    fix: 'Open a new one.',
  });
