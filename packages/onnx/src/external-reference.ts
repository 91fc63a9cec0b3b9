import { pathParts } from '@espalier/core';
import type { ExternalReference } from './decode-context.js';
import { externalPath, malformed, type Place, quoted } from './errors.js';
import type { Proto } from './schema.js';

/**
 * The range that `external_data` names, for a tensor of `bytes` bytes. A checksum is accepted and not compared, as
 * onnxruntime does.
 * @throws ONNX_EXTERNAL_PATH for a location that is not relative or leaves the folder, ONNX_MALFORMED.
 */
export function externalReference(entries: readonly Proto<'Entry'>[], bytes: number, place: Place): ExternalReference {
  const given = new Map(entries.map(({ key, value }) => [key ?? '', value ?? '']));
  const offset = wholeNumber(given, 'offset', place) ?? 0;
  const length = wholeNumber(given, 'length', place) ?? bytes;
  if (length !== bytes) {
    throw malformed(place, { expected: `${bytes} bytes of external data`, found: `a length of ${length}` });
  }
  return { location: checkedLocation(given.get('location') ?? '', place), offset, length, place };
}

function wholeNumber(given: ReadonlyMap<string, string>, key: string, place: Place): number | undefined {
  const text = given.get(key);
  if (text === undefined || text === '') return undefined;
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value)) return value;
  throw malformed(place, { expected: `a whole number as the ${key} of external data`, found: quoted(text) });
}

function checkedLocation(location: string, place: Place): string {
  const found = quoted(location);
  const refuse = (cause?: unknown) =>
    externalPath(place, { expected: 'a relative path inside the folder of the model', found, cause });
  try {
    const parts = pathParts(location);
    if (parts.length === 0) throw refuse();
    return parts.join('/');
  } catch (cause) {
    throw refuse(cause);
  }
}
