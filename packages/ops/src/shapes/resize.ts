import { type Dim, floatOf, floatsOf, intsOf, textOf } from '@espalier/core';
import type { OpName } from '../op-names.js';
import { floorDivDims, mulDims } from './dim.js';
import type { Element } from './elements.js';
import { axisWithin, type ShapeRule, type Site, typeOf } from './site.js';

/** ⌊n·scale⌋ in float32 as runtimes compute it; for a named size only where the scale is an exact small fraction. */
function scaled(size: Dim, scale: number): Dim | undefined {
  if (typeof size === 'number') return Math.floor(Math.fround(size * scale));
  for (let by = 1; by <= 1024; by *= 2) {
    if (Number.isInteger(scale * by)) return floorDivDims(mulDims(size, scale * by), by);
  }
  return undefined;
}

/** The factors and the wanted sizes of a Resize; opset 10 had no region of interest before the factors. */
function requested(site: Site): { readonly scales?: readonly Element[]; readonly sizes?: readonly Element[] } {
  const early = site.opset === 10 || site.node.inputs.length === 2;
  const scales = site.elements(early ? 1 : 2)?.items;
  const sizes = early ? undefined : site.elements(3)?.items;
  if (sizes) return { sizes };
  // An empty list of factors means "see sizes".
  return scales && (scales.length > 0 || site.node.inputs[3] === undefined) ? { scales } : {};
}

const resize: ShapeRule = (site) => {
  const shape = site.shape(0);
  if (!shape) return [typeOf(site.dtype(0))];
  const axes = (intsOf(site.node, 'axes', undefined) ?? [...shape.keys()]).map((axis) =>
    axisWithin(site, axis, shape.length),
  );
  const { scales, sizes } = requested(site);
  const given = sizes ?? scales;
  if (given && given.length !== axes.length) {
    throw site.fail({ expected: `${axes.length} factors or sizes`, found: `${given.length}` });
  }
  const found = sizes
    ? fitted(
        site,
        sizes,
        axes.map((axis) => shape[axis]!),
      )
    : undefined;
  const out = [...shape];
  axes.forEach((axis, i) => {
    const scale = scales?.[i];
    const known = found ? found[i] : typeof scale === 'number' ? scaled(shape[axis]!, scale) : undefined;
    out[axis] = known ?? site.fresh(axis);
  });
  return [typeOf(site.dtype(0), out)];
};

/** The wanted sizes, or the nearest below or above them that keep the proportions (opset 18). */
function fitted(site: Site, sizes: readonly Element[], from: readonly Dim[]): readonly Element[] {
  const policy = textOf(site.node, 'keep_aspect_ratio_policy', 'stretch');
  if (policy === 'stretch') return sizes;
  const ratios = sizes.map((size, i) => Number(size) / Number(from[i])); // NaN for names
  const scale = policy === 'not_larger' ? Math.min(...ratios) : Math.max(...ratios);
  return from.map((size) => (Number.isNaN(scale) ? undefined : Math.floor(Math.fround(scale * Number(size)) + 0.5)));
}

/** Factors as two attributes (opset 1), one list (7) or an input (9). */
const upsample: ShapeRule = (site) => {
  const shape = site.shape(0);
  if (!shape) return [typeOf(site.dtype(0))];
  const [height, width] = [floatOf(site.node, 'height_scale', undefined), floatOf(site.node, 'width_scale', undefined)];
  const early = height !== undefined && width !== undefined ? [1, 1, height, width] : undefined;
  const scales: readonly Element[] | undefined =
    early ?? floatsOf(site.node, 'scales', undefined) ?? site.elements(1)?.items;
  if (scales && scales.length !== shape.length) {
    throw site.fail({ expected: `${shape.length} factors`, found: `${scales.length}` });
  }
  const out = shape.map((size, axis) => {
    const scale = scales?.[axis];
    return (typeof scale === 'number' ? scaled(size, scale) : undefined) ?? site.fresh(axis);
  });
  return [typeOf(site.dtype(0), out)];
};

/** Changes of resolution. */
export const resizeRules = {
  Resize: resize,
  Upsample: upsample,
} as const satisfies Partial<Record<OpName, ShapeRule>>;
