import type { Tensor } from '@espalier/core';

/** Named tensors and the texts that go with them. */
export interface Safetensors {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly metadata: ReadonlyMap<string, string>;
}
