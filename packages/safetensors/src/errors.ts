import { type EspalierError, problem } from '@espalier/core';

/** A file that is not a well-formed safetensors file; `where` names the file and the tensor or byte offset. */
export const malformed = (where: string, expected: string, found: string): EspalierError =>
  problem('SAFETENSORS_MALFORMED', {
    where,
    expected,
    found,
    fix: 'The file is damaged, truncated or of another format.',
  });

/** A tensor that safetensors cannot hold. */
export const unsupported = (where: string, found: string): EspalierError =>
  problem('SAFETENSORS_UNSUPPORTED', {
    where,
    expected: 'a dtype that safetensors has',
    found,
    fix: 'Convert the tensor first.',
  });
