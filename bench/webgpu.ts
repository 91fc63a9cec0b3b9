import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openPage } from '../test/chromium-page.js';

/**
 * Training steps on WebGPU in headless Chromium: how far one is from the same step in WebAssembly, steps a second of a
 * loop, and the memory of the GPU over them. Without a GPU, Chromium's software adapter runs it: then the rate says
 * nothing.
 *
 *     tsx --conditions=@espalier/source bench/webgpu.ts [LeNet-5|ResNet-20] [steps] [--adapter]
 *
 * `--adapter` takes the adapter of this machine instead of the software one.
 */
const flags = process.argv.slice(2).filter((each) => each.startsWith('--'));
const [net = 'LeNet-5', steps = '20'] = process.argv.slice(2).filter((each) => !each.startsWith('--'));
const tensor = new URL('../packages/tensor/', import.meta.url);
const page = await openPage({
  program: `import * as all from './gpu-page.ts'; globalThis.run = (name, ...given) => all[name](...given);`,
  folder: fileURLToPath(new URL('test/', tensor)),
  serve: { '/wasm/': dirname(createRequire(new URL('package.json', tensor)).resolve('@tensorflow/tfjs-backend-wasm')) },
  flags: ['--enable-unsafe-webgpu', ...(flags.includes('--adapter') ? [] : ['--use-webgpu-adapter=swiftshader'])],
});
try {
  console.log(await page.run('describeGpu'));
  console.log(`${net}: distance to WebAssembly`, await page.run('runTraining', net));
  const { rate, bytes, tensors, losses } = await page.run<{
    readonly rate: number;
    readonly bytes: readonly number[];
    readonly tensors: readonly number[];
    readonly losses: readonly number[];
  }>('runLoop', net, Number(steps));
  console.log(`${rate.toFixed(2)} steps/s at batch 4, loss ${losses[0]?.toFixed(3)} to ${losses.at(-1)?.toFixed(3)}`);
  console.log(`GPU buffers ${bytes[5] ?? bytes[0]} bytes after six steps, ${bytes.at(-1)} after the last`);
  console.log(`tensors after each step: ${[...new Set(tensors)].join(', ')}`);
} finally {
  await page.close();
}
