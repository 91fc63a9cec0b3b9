import { type Graph, int } from '@espalier/core';
import { netBuilder } from './masked-then-cut.js';

/** conv -> acme::ChannelGate (examples/plugin-gate) -> conv, with the shape of the custom op declared, as a file must. */
export function gatedNet(): Graph {
  const b = netBuilder();
  const x = b.add('Conv', [b.input('x', 'float32', ['batch', 3, 4, 4]), b.weight('w', 8, 3, 1, 1)]);
  const y = b.add('acme::ChannelGate', [x, b.weight('gate', 4)], { name: 'gated', attributes: { channels: int(8) } });
  b.info(y, { dtype: 'float32', shape: ['batch', 8, 4, 4] });
  b.output(b.add('Conv', [y, b.weight('v', 2, 8, 1, 1)]), 'y');
  return b.made();
}
