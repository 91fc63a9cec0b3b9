import { type Dim, intsOf, textOf } from '@espalier/core';
import type { OpName } from '../op-names.js';
import { floorDivDims, productOf } from './dim.js';
import { like } from './elementwise.js';
import { type ShapeRule, type Site, sameDim, shapeOfRank, typeOf } from './site.js';

/** The elements of a list input as sizes; open ones get names for axes from `first` on. */
function sizesOf(site: Site, slot: number, first: number): readonly Dim[] | undefined {
  const items = site.elements(slot)?.items;
  const count = items?.length ?? site.shape(slot)?.[0];
  if (typeof count !== 'number' || count > 8) return undefined;
  return Array.from({ length: count }, (_, i) => items?.[i] ?? site.fresh(first + i));
}

/** The grid [N, ..., axes] names where each place of the result is sampled. */
const gridSample: ShapeRule = (site) => {
  const input = shapeOfRank(site, 0, 3);
  const grid = shapeOfRank(site, 1, 3);
  if (!input || !grid) return [typeOf(site.dtype(0))];
  const batch = sameDim(site, 'batches of input and grid', input[0]!, grid[0]!);
  return [typeOf(site.dtype(0), [batch, input[1]!, ...grid.slice(1, -1)])];
};

/** One point per place of the wanted size [N, C, ...]. */
const affineGrid: ShapeRule = (site) => {
  const size = sizesOf(site, 1, 0);
  return [typeOf(site.dtype(0), size && [size[0]!, ...size.slice(2), size.length - 2])];
};

/** Blocks [N, C·block, places] laid back into an image. */
const col2Im: ShapeRule = (site) => {
  const input = shapeOfRank(site, 0, 3, 3);
  const image = sizesOf(site, 1, 2);
  const block = sizesOf(site, 2, 2);
  if (!input || !image || !block) return [typeOf(site.dtype(0))];
  return [typeOf(site.dtype(0), [input[0]!, floorDivDims(input[1]!, productOf(block)), ...image])];
};

/** Boxes cut from images and resized: [boxes, C, height, width]. */
const cropAndResize: ShapeRule = (site) => {
  const channels = shapeOfRank(site, 0, 4, 4)?.[1] ?? site.fresh(1);
  const count = shapeOfRank(site, 1, 2, 2)?.[0] ?? site.fresh(0);
  return [typeOf(site.dtype(0), [count, channels, ...(sizesOf(site, 3, 2) ?? [site.fresh(2), site.fresh(3)])])];
};

const imageDecoder: ShapeRule = (site) => {
  const channels = textOf(site.node, 'pixel_format', 'RGB') === 'Grayscale' ? 1 : 3;
  return [typeOf('uint8', [site.fresh(0), site.fresh(1), channels])];
};

/** `border` is [left, top, right, bottom]; `scale` gives the wanted height and width (an early experiment). */
const crop: ShapeRule = (site) => {
  const shape = shapeOfRank(site, 0, 4, 4);
  const [left = 0, top = 0, right = 0, bottom = 0] = intsOf(site.node, 'border', []);
  const wanted = intsOf(site.node, 'scale', undefined);
  if (!shape) return [typeOf(site.dtype(0))];
  const cut = (size: Dim, off: number, axis: number): Dim => (typeof size === 'number' ? size - off : site.fresh(axis));
  const spatial = wanted?.length === 2 ? wanted : [cut(shape[2]!, top + bottom, 2), cut(shape[3]!, left + right, 3)];
  return [typeOf(site.dtype(0), [shape[0]!, shape[1]!, ...spatial])];
};

/** Sampling and image ops that are no pooling. */
export const visionRules = {
  AffineGrid: affineGrid,
  Col2Im: col2Im,
  Crop: crop,
  GridSample: gridSample,
  ImageDecoder: imageDecoder,
  ImageScaler: like(),
  'com.microsoft::CropAndResize': cropAndResize,
  'com.microsoft::GridSample': gridSample,
} as const satisfies Partial<Record<OpName, ShapeRule>>;
