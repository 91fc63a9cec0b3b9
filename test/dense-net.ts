import { buildGraph, floats, type Graph } from '@espalier/core';
import { inferShapes } from '@espalier/ops';

/** x [n, 4] -> acme::Dense w [3, 4] -> Relu -> acme::Dense v [2, 3], with the shapes of the custom op declared. */
export function denseNet(v = [1, 2, 3, 4, 5, 6]): Graph {
  const b = buildGraph();
  const w = b.constant('w', floats([1, 2, 3, 4, 0.1, 0.2, 0.3, 0.4, 5, 6, 7, 8], [3, 4]));
  const hidden = b.add('acme::Dense', [b.input('x', 'float32', ['batch', 4]), w], { name: 'hidden' });
  b.info('hidden', { dtype: 'float32', shape: ['batch', 3] });
  b.output(b.add('acme::Dense', [b.add('Relu', [hidden]), b.constant('v', floats(v, [2, 3]))], { name: 'y' }));
  b.info('y', { dtype: 'float32', shape: ['batch', 2] });
  return inferShapes(b.finish());
}
