import type { AxisPort, AxisSite } from '@espalier/core';

/** The first input and output of a node; everything is pinned where one is not known. */
export const ends = (site: AxisSite): { readonly x: AxisPort; readonly y: AxisPort } | undefined => {
  const [x, y] = [site.inputs[0], site.outputs[0]];
  if (x && y) return { x, y };
  site.pinAll('its shapes are not known');
  return undefined;
};
