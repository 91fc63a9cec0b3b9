import { type Node, type Tensor, textOf, toNumbers } from '@espalier/core';
import { type Conversion, type OpsetRule, type Rewrite, withAttributes, withInput } from './rule.js';

/**
 * Resize-10 (and Upsample) sample at x / scale: "asymmetric" with the lower neighbour in opset 11. Shrinking by a
 * factor that is no whole one is where runtimes disagree about the old op's neighbour.
 */
const sampleLikeTen: Rewrite = (node, conversion) => {
  const mode = textOf(node, 'mode', 'nearest');
  const scales = conversion.constantOf(node.inputs[1]);
  const odd = scales && toNumbers(scales).some((each) => each < 1 && !Number.isInteger(1 / each));
  if (odd && mode === 'nearest')
    conversion.refuse('nearest sampling that shrinks by a fraction, whose rounding opset 10 leaves open');
  const moved = withAttributes(node, {
    set: {
      coordinate_transformation_mode: { kind: 'text', value: 'asymmetric' },
      ...(mode === 'nearest' ? { nearest_mode: { kind: 'text', value: 'floor' } as const } : {}),
    },
  });
  const roi = conversion.constant(`${node.id}_roi`, emptyFloats);
  return [{ ...moved, inputs: [node.inputs[0], roi, node.inputs[1]] }];
};

const emptyFloats: Tensor = { dtype: 'float32', shape: [0], data: new Float32Array(0) };

/** Empty placeholders became omitted inputs; one coordinate mode is gone. */
const omitEmpty: Rewrite = (node, conversion) => {
  if (textOf(node, 'coordinate_transformation_mode', 'half_pixel') === 'tf_half_pixel_for_nn') {
    conversion.refuse('coordinate mode "tf_half_pixel_for_nn", which opset 13 no longer has');
  }
  let result: Node = node;
  for (const slot of [2, 1]) {
    if (isEmpty(conversion, node.inputs[slot])) result = withInput(result, slot, undefined);
  }
  return [result];
};

const isEmpty = (conversion: Conversion, value: string | undefined): boolean =>
  conversion.constantOf(value)?.shape.includes(0) === true;

/** Resize, in its two changes. */
export const resizeRules: Readonly<Record<string, readonly OpsetRule[]>> = {
  Resize: [
    { since: 11, rewrite: sampleLikeTen },
    { since: 13, rewrite: omitEmpty },
  ],
};
