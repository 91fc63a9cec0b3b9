import { createRandom, fromNumbers, isFloat, type Port, sizeOf, type Tensor } from '@espalier/core';

/** Seeded inputs for a session: normal numbers for floats, zeros and ones otherwise; unknown sizes become `batch`. */
export function randomFeeds(ports: readonly Port[], { seed = 1, batch = 2 } = {}): ReadonlyMap<string, Tensor> {
  return new Map(
    ports.map(({ name, dtype, shape = [] }) => {
      const random = createRandom(seed).fork(name);
      const sizes = shape.map((dim) => (typeof dim === 'number' ? dim : batch));
      const next = isFloat(dtype) ? random.normal : () => random.below(2);
      return [name, fromNumbers(dtype, sizes, Float32Array.from({ length: sizeOf(sizes) }, next))];
    }),
  );
}
