import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { root } from './workspace.js';

/** The source files of all packages and apps, without tests. */
function sourcesIn(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return ['dist', 'node_modules'].includes(entry.name) ? [] : sourcesIn(path);
    return /(?<!\.test|\.d)\.ts$/.test(entry.name) ? [path] : [];
  });
}

const files = ['packages', 'apps'].flatMap((folder) =>
  sourcesIn(join(root, folder)).map((path) => ({ path: relative(root, path), text: readFileSync(path, 'utf8') })),
);

/** The files that declare a function or constant whose name a pattern fits. */
const declaring = (name: string) =>
  files
    .filter(({ text }) => new RegExp(`^(?:export )?(?:async )?(?:const|function) (?:${name})\\b`, 'm').test(text))
    .map(({ path }) => path);

// Names that a second implementation would most likely have stand beside the name of the first one.
test.each([
  ['the slots and axes of weights', 'layerOf|operandsOf', 'packages/ops/src/layer/layer-of.ts'],
  ['the window of a kernel', 'windowOf|readWindow', 'packages/ops/src/window.ts'],
  ['the role of a constant', 'isParameter|isWeight', 'packages/ops/src/constant-role.ts'],
  ['the real numbers behind codes', 'weightOf|realWeight|realNumbers', 'packages/ops/src/weights/dequantize-weight.ts'],
  ['multiply-adds', 'productsOf|multiplyAdds|macsOfNode|countMacs', 'packages/ops/src/products/products-of.ts'],
  ['bodies that a node runs', 'runsBodies|contradicts', 'packages/ops/src/products/node-bodies.ts'],
  ['rounding half to even', '\\w*[hH]alf(?:To)?Even|roundEven|bankersRound', 'packages/core/src/float-formats.ts'],
  ['top-1 and loss of class scores', 'crossEntropyOf|topOneOf', 'packages/analysis/src/comparison/class-rows.ts'],
])('%s: one implementation', (_, name, file) => {
  expect(declaring(name)).toEqual([file]);
});
