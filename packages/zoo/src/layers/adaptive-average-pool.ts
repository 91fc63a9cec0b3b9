import { int, ints, type ValueId } from '@espalier/core';
import type { Model } from '../create-model.js';
import type { FeatureMap } from '../feature-map.js';

/**
 * Averages to a map of `to` x `to` from any size, as PyTorch does: window i runs from ⌊i·size/to⌋ to ⌈(i+1)·size/to⌉,
 * so windows overlap, or repeat places where the map is smaller than `to`.
 */
export function adaptiveAveragePool(model: Model, x: FeatureMap, to: number): FeatureMap {
  if (x.size === to) return x;
  if (x.size % to === 0) {
    const side = x.size / to;
    const attributes = { kernel_shape: ints([side, side]), strides: ints([side, side]) };
    return { ...x, value: model.add('AveragePool', [x.value], { name: 'avgpool', attributes }), size: to };
  }
  const rows = alongAxis(model, x.value, { axis: 2, from: x.size, to });
  return { ...x, value: alongAxis(model, rows, { axis: 3, from: x.size, to }), size: to };
}

function alongAxis(
  model: Model,
  value: ValueId,
  { axis, from, to }: { readonly axis: number; readonly from: number; readonly to: number },
): ValueId {
  const axes = model.longs([axis]);
  const parts = Array.from({ length: to }, (_, i) => {
    const [start, end] = [Math.floor((i * from) / to), Math.ceil(((i + 1) * from) / to)];
    const places = [model.longs([start]), model.longs([end]), axes];
    const part = model.add('Slice', [value, ...places], { name: `avgpool.slice${axis}` });
    if (end === start + 1) return part;
    return model.add('ReduceMean', [part, axes], { name: `avgpool.mean${axis}`, attributes: { keepdims: int(1) } });
  });
  return model.add('Concat', parts, { name: `avgpool.concat${axis}`, attributes: { axis: int(axis) } });
}
