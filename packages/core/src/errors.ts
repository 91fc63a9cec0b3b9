/** Where something is wrong, what was expected, what was found, and what to do about it. */
export interface Problem {
  /** The node id and op, the recipe path, the file and byte offset, or the option. */
  readonly where: string;
  readonly expected: string;
  readonly found: string;
  readonly fix?: string;
  /** Further facts for programs. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

const mark = Symbol.for('espalier.error');

/**
 * The one error class. `code` is `AREA_PROBLEM`; `details` holds the facts of the message for programs. Errors of
 * another copy of this package are instances too: a plugin may bring its own.
 */
export class EspalierError extends Error {
  static override [Symbol.hasInstance](value: unknown): value is EspalierError {
    return typeof value === 'object' && value !== null && mark in value;
  }

  readonly [mark] = true;
  override readonly name = 'EspalierError';
  readonly code: string;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: string, message: string, details: Readonly<Record<string, unknown>> = {}, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.details = details;
  }
}

/** An `EspalierError` whose message says where, what was expected, what was found and what to do, in that order. */
export function problem(code: string, { where, expected, found, fix, details, cause }: Problem): EspalierError {
  const message = `${where}: expected ${expected}, found ${found}.${fix ? ` ${fix}` : ''}`;
  return new EspalierError(
    code,
    message,
    { where, expected, found, ...(fix ? { fix } : {}), ...details },
    cause === undefined ? undefined : { cause },
  );
}

/** The error for an option of a function outside its range. */
export const badOption = (name: string, { expected, found }: { expected: string; found: unknown }): EspalierError =>
  problem('OPTION_INVALID', { where: `option "${name}"`, expected, found: String(found) });
