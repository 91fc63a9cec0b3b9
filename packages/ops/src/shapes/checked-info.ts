import type { ValueInfo } from '@espalier/core';
import type { Site } from './site.js';

// More axes than any real tensor has; a file that asks for more only costs memory.
const mostAxes = 64;

/** The type of an output when its sizes make sense. @throws GRAPH_SHAPE for a negative or broken size. */
export function checkedInfo(site: Site, info: ValueInfo | undefined): ValueInfo | undefined {
  if (!info?.shape) return info;
  for (const dim of info.shape) {
    if (typeof dim === 'number' && !(dim >= 0 && Number.isInteger(dim))) {
      throw site.fail({ expected: 'sizes of at least 0', found: `an output of [${info.shape.join(',')}]` });
    }
  }
  return info.shape.length > mostAxes ? { dtype: info.dtype } : info;
}
