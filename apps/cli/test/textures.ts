import { createRandom } from '@espalier/core';

/** A bright upper half, a bright left half, or neither, with noise: 16x16, as IDX files. */
export function textures(count: number) {
  const random = createRandom(2);
  const header = (type: number, ...sizes: readonly number[]) => {
    const bytes = Buffer.from([0, 0, 8, type, ...sizes.flatMap(() => [0, 0, 0, 0])]);
    for (const [i, size] of sizes.entries()) bytes.writeUInt32BE(size, 4 + 4 * i);
    return bytes;
  };
  const label = (i: number) => i % 3;
  const pixels = Uint8Array.from({ length: count * 256 }, (_, i) => {
    const bright = [(i & 128) === 0, (i & 8) === 0, false][label(i >> 8)];
    return (bright ? 150 : 20) + 80 * random.next();
  });
  return {
    images: Buffer.concat([header(3, count, 16, 16), pixels]),
    labels: Buffer.concat([header(1, count), Uint8Array.from({ length: count }, (_, i) => label(i))]),
  };
}
