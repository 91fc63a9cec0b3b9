import { EspalierError } from '@espalier/core';
import { runtimeFailed, unsupportedOp } from './errors.js';

/** What was being done when the runtime failed. */
export interface Attempt {
  /** The package that was asked. */
  readonly runtime: string;
  readonly where: string;
  readonly expected: string;
}

// How onnxruntime words an op it does not run (its own message strings, versions 1.17 to 1.30).
const unsupported: readonly RegExp[] = [
  // NOT_IMPLEMENTED : Could not find an implementation for ConvInteger(10) node with name 'conv_1'
  /implementation for (?:the node )?(?<node1>[^\s:]+:)?(?<op>[\w.:]+)\(\d+\)(?: node with name '(?<node>[^']*)')?/,
  // Fatal error: acme:Foo(-1) is not a registered function/op
  /(?<op>[\w.:]+)\(-?\d+\) is not a registered function\/op/,
  // No Op registered for Foo with domain_version of 17
  /No (?:Op|opset import|schema) registered for (?<op>[\w.:]+)/i,
];

// Non-zero status code returned while running Conv node. Name:'conv_1' Status Message: ...
const running = /while running (?<op>\S+) node\. Name:'(?<node>[^']*)'/;

/** The runtime's exception as an EspalierError, with what it says of op and node. Our own errors pass through. */
export function translateFailure(cause: unknown, { runtime, where, expected }: Attempt): EspalierError {
  if (cause instanceof EspalierError) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  for (const pattern of unsupported) {
    const found = pattern.exec(message)?.groups;
    if (!found?.['op']) continue;
    const node = found['node'] || found['node1']?.slice(0, -1) || nodeIn(message);
    return unsupportedOp({ op: ourName(found['op']), node, runtime }, cause);
  }
  const failed = running.exec(message)?.groups;
  if (failed) {
    const { op, node } = failed;
    return runtimeFailed({ where: `node "${node}" (${ourName(op!)})`, expected, node }, cause);
  }
  return runtimeFailed({ where, expected, node: nodeIn(message) }, cause);
}

const nodeIn = (message: string): string | undefined =>
  /(?:In Node, \(|Node \(|Node:|node with name '|Name:')\s*"?([^\s"',()]+)/.exec(message)?.[1];

// The runtime separates domain and op by one colon, graphs by two.
const ourName = (op: string): string => op.replace(/^(?:ai\.onnx:+|:+)/, '').replace(/([^:]):([^:])/, '$1::$2');
