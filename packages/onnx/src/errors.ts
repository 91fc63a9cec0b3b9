import { EspalierError, problem } from '@espalier/core';

/** Where in a file something stands: its name, the byte, and the way through the messages. */
export interface Place {
  readonly file: string;
  readonly byte: number;
  readonly path: string;
}

interface Finding {
  readonly expected: string;
  readonly found: string;
  readonly fix?: string;
  readonly cause?: unknown;
}

const locate = (code: string, place: Place, { expected, found, fix, cause }: Finding) =>
  problem(code, {
    where: `${place.file}, byte ${place.byte}${place.path ? `, ${place.path}` : ''}`,
    expected,
    found,
    ...(fix === undefined ? {} : { fix }),
    details: { file: place.file, byte: place.byte, path: place.path },
    ...(cause === undefined ? {} : { cause }),
  });

/** A text from a file for a message: in quotes, and not longer than a message should be. */
export const quoted = (text: string): string => JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}...` : text);

/** A shape from a file for a message. */
export const shapeText = (shape: readonly number[]): string =>
  `[${shape.slice(0, 16).join(',')}${shape.length > 16 ? ',...' : ''}]`;

/** The file ends in the middle of something. */
export const truncated = (place: Place, finding: Finding) =>
  locate('ONNX_TRUNCATED', place, { fix: 'The file is cut off: fetch or export it again.', ...finding });

/** The bytes are not what the format allows. */
export const malformed = (place: Place, finding: Finding) =>
  locate('ONNX_MALFORMED', place, { fix: 'The file is damaged, or not an ONNX model.', ...finding });

/** The file asks for more than a bound that guards memory or the call stack allows. */
export const beyondLimit = (place: Place, finding: Finding) => locate('ONNX_LIMIT', place, finding);

/** A legal part of the format that this package does not read. */
export const unsupported = (place: Place, finding: Finding) => locate('ONNX_UNSUPPORTED', place, finding);

/** A tensor names a file outside the folder of its model. */
export const externalPath = (place: Place, finding: Finding) =>
  locate('ONNX_EXTERNAL_PATH', place, {
    fix: 'External data must lie in the folder of the model, under a relative path.',
    ...finding,
  });

/** A tensor names external data that is not there, or not long enough. */
export const externalMissing = (place: Place, finding: Finding) =>
  locate('ONNX_EXTERNAL_MISSING', place, { fix: 'Put the data file beside the model.', ...finding });

/** A graph holds something that an ONNX file cannot. */
export const unwritable = (where: string, finding: Finding) => problem('ONNX_UNWRITABLE', { where, ...finding });

/** A message would pass the 2 GiB that protobuf allows. */
export const messageTooLarge = (bytes: number, limit: number) =>
  problem('ONNX_LIMIT', {
    where: 'ONNX message',
    expected: `at most ${limit} bytes, as protobuf allows`,
    found: `${bytes} bytes`,
    fix: "Write with `writeOnnx` and `externalData: 'auto'`: weights then go to a file beside the model.",
    details: { bytes, limit },
  });

/** Runs a reading step; what core says of the graph inside then names the file too. */
export function inFile<T>(file: string, step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof EspalierError) || !error.code.startsWith('GRAPH_')) throw error;
    const details = { ...error.details, file, where: `${file}, ${error.details['where']}` };
    throw new EspalierError(error.code, `${file}, ${error.message}`, details, { cause: error });
  }
}
