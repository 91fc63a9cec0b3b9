import type { ValueId } from '@espalier/core';
import type { Model } from './create-model.js';

/** A value of shape [batch, channels, size, size]. */
export interface FeatureMap {
  readonly value: ValueId;
  readonly channels: number;
  readonly size: number;
}

/** The square image that a vision model reads, as the graph's input `input`. */
export const imageInput = (
  model: Model,
  { channels, size }: { readonly channels: number; readonly size: number },
): FeatureMap => ({ value: model.input('input', 'float32', ['batch', channels, size, size]), channels, size });
