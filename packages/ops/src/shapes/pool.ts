import { type Dim, type DType, intOf, intsOf } from '@espalier/core';
import type { OpName } from '../op-names.js';
import { addDims, mulDims, subDims } from './dim.js';
import { numbersOf } from './elements.js';
import { type ShapeRule, type Site, sameDim, shapeOfRank, typeOf } from './site.js';
import { checkedWindow, slidDims } from './window.js';

/** Batch and channels kept, the window slid over the rest; channels come last in some fused ops. */
function pooled(site: Site, channelsLast = false): readonly Dim[] | undefined {
  const given = shapeOfRank(site, 0, 3);
  const kernel = intsOf(site.node, 'kernel_shape', undefined);
  if (!given) return undefined;
  if (!kernel) throw site.fail({ expected: 'an attribute "kernel_shape"', found: 'none' });
  const spatial = channelsLast ? given.slice(1, -1) : given.slice(2);
  if (kernel.length !== spatial.length) {
    throw site.fail({ expected: `a kernel of ${spatial.length} axes`, found: `${kernel.length}` });
  }
  const slid = slidDims(site, spatial, checkedWindow(site, kernel));
  return channelsLast ? [given[0]!, ...slid, given.at(-1)!] : [given[0]!, given[1]!, ...slid];
}

const pool: ShapeRule = (site) => [typeOf(site.dtype(0), pooled(site))];

/** The second output holds int64 indices of the largest elements. */
const maxPool: ShapeRule = (site) => {
  const shape = pooled(site);
  return [typeOf(site.dtype(0), shape), typeOf('int64', shape)];
};

const globalDims = (site: Site, channelsLast = false): readonly Dim[] | undefined => {
  const given = shapeOfRank(site, 0, 2);
  return given?.map((size, axis) => (axis === 0 || axis === (channelsLast ? given.length - 1 : 1) ? size : 1));
};

const globalPool: ShapeRule = (site) => [typeOf(site.dtype(0), globalDims(site))];

const isChannelsLast = (site: Site): boolean => intOf(site.node, 'channels_last', 0) === 1;

/** The size the pooling came from, or what the third input says. */
const maxUnpool: ShapeRule = (site) => {
  const given = shapeOfRank(site, 0, 3);
  const wanted = numbersOf(site.elements(2));
  const kernel = intsOf(site.node, 'kernel_shape', []);
  if (wanted) return [typeOf(site.dtype(0), wanted)];
  if (!given || kernel.length !== given.length - 2) return [typeOf(site.dtype(0))];
  if (site.node.inputs[2] !== undefined)
    return [
      typeOf(
        site.dtype(0),
        given.map((_, axis) => site.fresh(axis)),
      ),
    ];
  const window = checkedWindow(site, kernel);
  const spatial = given.slice(2).map((size, axis) => {
    const padding = window.pads[axis]! + window.pads[axis + kernel.length]!;
    return subDims(addDims(mulDims(subDims(size, 1), window.strides[axis]!), kernel[axis]!), padding);
  });
  return [typeOf(site.dtype(0), [given[0]!, given[1]!, ...spatial])];
};

/** Regions are rows [batch index, x1, y1, x2, y2]. */
const maxRoiPool: ShapeRule = (site) => {
  const channels = shapeOfRank(site, 0, 4, 4)?.[1] ?? site.fresh(1);
  const count = shapeOfRank(site, 1, 2, 2)?.[0] ?? site.fresh(0);
  return [typeOf(site.dtype(0), [count, channels, ...intsOf(site.node, 'pooled_shape', [])])];
};

/** One map per region: [regions, channels, height, width]. */
const roiAlign: ShapeRule = (site) => {
  const channels = shapeOfRank(site, 0, 4, 4)?.[1] ?? site.fresh(1);
  const rois = shapeOfRank(site, 1, 2, 2)?.[0];
  const indices = shapeOfRank(site, 2, 1, 1)?.[0];
  if (rois !== undefined && indices !== undefined) sameDim(site, 'regions and batch indices', rois, indices);
  const size = [intOf(site.node, 'output_height', 1), intOf(site.node, 'output_width', 1)];
  return [typeOf(site.dtype(0), [rois ?? indices ?? site.fresh(0), channels, ...size])];
};

const quantizedDtype = (site: Site): DType | undefined => site.dtype(4) ?? site.dtype(0);

/** Pooling, and sampling of regions. */
export const poolRules = {
  AveragePool: pool,
  GlobalAveragePool: globalPool,
  GlobalLpPool: globalPool,
  GlobalMaxPool: globalPool,
  LpPool: pool,
  MaxPool: maxPool,
  MaxRoiPool: maxRoiPool,
  MaxUnpool: maxUnpool,
  RoiAlign: roiAlign,
  'com.microsoft::NhwcMaxPool': (site) => [typeOf(site.dtype(0), pooled(site, true))],
  'com.microsoft::QLinearAveragePool': (site) => [typeOf(quantizedDtype(site), pooled(site, isChannelsLast(site)))],
  'com.microsoft::QLinearGlobalAveragePool': (site) => [
    typeOf(quantizedDtype(site), globalDims(site, isChannelsLast(site))),
  ],
} as const satisfies Partial<Record<OpName, ShapeRule>>;
