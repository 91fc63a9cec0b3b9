import { type EspalierError, type Grid, type Node, problem, type Target } from '@espalier/core';

/** A range that no grid can cover. */
export const rangeInvalid = (min: number, max: number): EspalierError =>
  problem('QUANTIZE_RANGE', {
    where: 'range of values',
    expected: 'finite numbers with min <= max whose difference fits a float32',
    found: `[${min}, ${max}]`,
    fix: 'Look for NaN or infinity in the weights or the calibration data, or leave this node out with `ignore`.',
    details: { min, max },
  });

/** A grid that no ONNX integer type stores. */
export const gridInvalid = ({ bits, signed, symmetric }: Grid): EspalierError =>
  problem('QUANTIZE_GRID', {
    where: `grid of ${bits} ${signed ? 'signed' : 'unsigned'}${symmetric ? ' symmetric' : ''} bits`,
    expected: 'a whole number of bits from 2 to 16',
    found: `${bits}`,
  });

/** An axis or block that a shape does not have. */
export const granularityInvalid = (shape: readonly number[], found: string): EspalierError =>
  problem('QUANTIZE_GRANULARITY', {
    where: `tensor of shape [${shape.join(', ')}]`,
    expected: `an axis from ${-shape.length} to ${shape.length - 1} and a positive whole block size`,
    found,
  });

/** Scales or zero points whose number does not fit the tensor. */
export const parametersInvalid = (shape: readonly number[], expected: string, found: string): EspalierError =>
  problem('QUANTIZE_PARAMETERS', { where: `tensor of shape [${shape.join(', ')}]`, expected, found });

/** Calibration did not collect what the quantizer asked for. */
export const evidenceMissing = (value: string, statistic: string): EspalierError =>
  problem('EVIDENCE_MISSING', {
    where: `value "${value}"`,
    expected: `a calibrated ${statistic}`,
    found: 'none',
    fix: 'Calibrate the `graph` of the compression with its `needs`, then pass the evidence to `apply`.',
    details: { value, statistic },
  });

/** Options that ask for what a target does not run. */
export const beyondTarget = (
  { name }: Target,
  {
    where,
    expected,
    found,
    fix = 'Change the options, or take another target.',
  }: { readonly where: string; readonly expected: string; readonly found: string; readonly fix?: string },
): EspalierError =>
  problem('OPTION_INVALID', { where, expected: `${expected} (target ${name})`, found, fix, details: { target: name } });

/** A node id in messages. */
export const nodeName = (node: Node): string => `node "${node.id}" (${node.op})`;

/** A fake-quantizer that has no form in integers. */
export const integersImpossible = (node: Node, expected: string): EspalierError =>
  problem('QUANTIZE_LEARNED', {
    where: nodeName(node),
    expected,
    found: 'something else',
    fix: 'Place quantizers with `learned`, or lower this one with the pass `lower-custom-ops`.',
  });
