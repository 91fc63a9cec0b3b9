import { describe, expect, it } from 'vitest';
import { sourceHash } from '../scripts/source-hash.js';
import { kernelsBase64, kernelsHash } from './generated/kernels.js';

describe('the compiled kernels', () => {
  it('are those of the sources: run `pnpm --filter @espalier/tensor kernels` after a change', async () => {
    expect(await sourceHash()).toBe(kernelsHash);
  });

  it('have no data of their own, which would overwrite the memory they are put into', async () => {
    const bytes = Buffer.from(kernelsBase64, 'base64');
    const sections: number[] = [];
    for (let at = 8; at < bytes.length; ) {
      sections.push(bytes[at]!); // within the bytes
      let [size, shift] = [0, 0];
      for (at++; ; at++) {
        const byte = bytes[at]!; // likewise
        size += (byte & 127) * 2 ** shift;
        shift += 7;
        if (byte < 128) break;
      }
      at += 1 + size;
    }
    expect(sections).toContain(10); // code
    expect(sections).not.toContain(11); // data
  });
});
