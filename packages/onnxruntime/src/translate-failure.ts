import { EspalierError } from '@espalier/core';
import { runtimeFailed, unsupportedOp } from './errors.js';

/** The attempt during which the runtime failed. */
export interface Attempt {
  /** The package that was asked. */
  readonly runtime: string;
  readonly where: string;
  readonly expected: string;
}

// How onnxruntime words an op it does not run (its own message strings, versions 1.17 to 1.30).
const unsupported: readonly RegExp[] = [
  // Could not find an implementation for ConvInteger(10) node with name 'conv_1'
  /implementation for (?<op>[\w.:]+)\(\d+\)/,
  // Fatal error: acme:Foo(-1) is not a registered function/op
  /(?<op>[\w.:]+)\(-?\d+\) is not a registered function\/op/,
  // No Op registered for Foo with domain_version of 17
  /No Op registered for (?<op>[\w.:]+)/,
];

// How it names the node it is about.
const nodes: readonly RegExp[] = [
  /while running (?<op>\S+) node\. Name:'(?<node>[^']*)'/,
  /node with name '(?<node>[^']*)'/,
  /of operator \((?<op>[^)]*)\) in node \((?<node>[^)]*)\)/,
  /Node \((?<node>[^)]*)\) Op \((?<op>[^)]*)\)/,
  /In Node, \("(?<node>[^"]*)", (?<op>[^,]*),/,
];

/** The runtime's exception as an EspalierError, with what it says of op and node. Our own errors pass through. */
export function translateFailure(cause: unknown, { runtime, where, expected }: Attempt): EspalierError {
  if (cause instanceof EspalierError) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  const named = firstMatch(nodes, message);
  const node = named?.['node'] || undefined; // nodes that a fusion split up have no name
  const op = firstMatch(unsupported, message)?.['op'];
  if (op !== undefined) return unsupportedOp({ op: ourName(op), node, runtime }, cause);
  const place = node === undefined ? where : `node "${node}"${named?.['op'] ? ` (${ourName(named['op'])})` : ''}`;
  return runtimeFailed({ where: place, expected, node }, cause);
}

function firstMatch(patterns: readonly RegExp[], message: string): Record<string, string> | undefined {
  for (const pattern of patterns) {
    const groups = pattern.exec(message)?.groups;
    if (groups) return groups;
  }
  return undefined;
}

// The runtime separates domain and op by one colon, graphs by two.
const ourName = (op: string): string => op.replace(/^(?:ai\.onnx:+|:+)/, '').replace(/([^:]):([^:])/, '$1::$2');
