import { intOf, intsOf } from '@espalier/core';
import type { OpName } from '../op-names.js';
import { floorDivDims, mulDims } from './dim.js';
import { type ShapeRule, sameDim, shapeOfRank, typeOf } from './site.js';

/** Batch of dy, channels of the weight × group, and the spatial sizes that `input_shape` states. */
const convInput: ShapeRule = (site) => {
  const dy = shapeOfRank(site, 0, 3);
  const w = shapeOfRank(site, 1, 3);
  const spatial = intsOf(site.node, 'input_shape', []);
  if (!dy || !w) return [typeOf(site.dtype(0))];
  if (spatial.length !== dy.length - 2) {
    throw site.fail({ expected: `input_shape of ${dy.length - 2} sizes`, found: `${spatial.length}` });
  }
  sameDim(site, 'channels of dy and the first axis of the weight', dy[1]!, w[0]!);
  return [typeOf(site.dtype(0), [dy[0]!, mulDims(w[1]!, intOf(site.node, 'group', 1)), ...spatial])];
};

/** [K, C/group, ...kernel] from x [N, C, ...] and dy [N, K, ...]. */
const convWeight: ShapeRule = (site) => {
  const x = shapeOfRank(site, 0, 3);
  const dy = shapeOfRank(site, 1, 3);
  if (!x || !dy) return [typeOf(site.dtype(0))];
  const kernel = intsOf(site.node, 'kernel_shape', []);
  if (kernel.length !== x.length - 2) {
    throw site.fail({ expected: `a kernel of ${x.length - 2} axes`, found: `${kernel.length}` });
  }
  sameDim(site, 'batches', x[0]!, dy[0]!);
  return [typeOf(site.dtype(0), [dy[1]!, floorDivDims(x[1]!, intOf(site.node, 'group', 1)), ...kernel])];
};

/** The result, then mean and variance per channel. */
const batchNorm: ShapeRule = (site) => {
  const shape = shapeOfRank(site, 0, 2);
  const scale = shapeOfRank(site, 1, 1, 1)?.[0];
  if (shape && scale !== undefined) sameDim(site, 'input channels and scale', shape[1]!, scale);
  const channels = shape?.[1] ?? scale;
  const statistic = typeOf(site.dtype(0), channels === undefined ? undefined : [channels]);
  return [typeOf(site.dtype(0), shape), statistic, statistic];
};

/** Ops of training graphs; what each means stands at its lowering. */
export const trainingRules = {
  'espalier::BatchNormGradient': batchNorm,
  'espalier::BatchNormTraining': batchNorm,
  'espalier::ConvInputGradient': convInput,
  'espalier::ConvWeightGradient': convWeight,
  'espalier::FakeQuantizeGradient': (site) => [
    typeOf(site.dtype(0), site.shape(0)),
    typeOf(site.dtype(1), site.shape(1)),
  ],
  'espalier::ParameterizedQuantizeGradient': (site) =>
    [0, 1, 2, 3].map((slot) => typeOf(site.dtype(slot), site.shape(slot))),
  'espalier::MaxPoolGradient': (site) => [typeOf(site.dtype(0), site.shape(0))],
} as const satisfies Partial<Record<OpName, ShapeRule>>;
