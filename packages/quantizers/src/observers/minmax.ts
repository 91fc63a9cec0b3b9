import { definePlugin } from '@espalier/core';

/** Observer: the whole range that calibration saw. `minmax().range({ range: { min: -1, max: 3 } }, grid)` is that range. */
export const minmax = definePlugin({
  kind: 'observer',
  id: 'minmax',
  about: 'Covers everything that calibration saw: no clipping error, coarse steps where there are outliers.',
  options: {},
  create: () => ({ bins: 0, range: ({ range }) => range }),
});
