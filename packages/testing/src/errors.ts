import { EspalierError, problem } from '@espalier/core';

/** The error of a check that a plugin does not pass. */
export const brokenContract = (
  where: string,
  { expected, found, fix }: { readonly expected: string; readonly found: string; readonly fix?: string },
): EspalierError => problem('KIT_FAILED', { where, expected, found, ...(fix ? { fix } : {}) });

/** A thrown value, as a message shows it. */
export const thrownText = (error: unknown): string =>
  error instanceof EspalierError ? `${error.code} (${error.message})` : String(error);
