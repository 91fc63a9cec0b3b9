import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cropCentre, resize } from './resize.js';

const row = (...data: number[]) => ({ width: data.length, height: 1, channels: 1, data: Uint8Array.from(data) });

describe('resize', () => {
  it('weighs all pixels when shrinking: half the size gives 3/7, 3/7, 1/7 at the edge', () => {
    // Triangle of half-width 2 around 1: distances 0.5, 0.5, 1.5 give 0.75, 0.75, 0.25 of 1.75.
    expect([...resize(row(0, 70, 140, 210), { width: 2, height: 1 }).data]).toEqual([50, 160]);
  });

  it('interpolates when growing: quarters between two pixels', () => {
    expect([...resize(row(0, 200), { width: 4, height: 1 }).data]).toEqual([0, 50, 150, 200]);
  });

  it('rounds bytes to nearest after each direction and leaves floats alone', () => {
    expect([...resize(row(0, 10), { width: 4, height: 1 }).data]).toEqual([0, 3, 8, 10]);
    const floats = { ...row(), width: 2, data: Float32Array.of(0, 10) };
    expect([...resize(floats, { width: 4, height: 1 }).data]).toEqual([0, 2.5, 7.5, 10]);
  });

  it('treats rows, columns and channels alike', () => {
    const image = { width: 1, height: 4, channels: 2, data: Uint8Array.of(0, 210, 70, 140, 140, 70, 210, 0) };
    expect([...resize(image, { width: 1, height: 2 }).data]).toEqual([50, 160, 160, 50]);
  });

  it('gives the very same image for its own size', () => {
    const image = row(1, 2, 3);
    expect(resize(image, { width: 3, height: 1 })).toBe(image);
  });

  it('keeps one colour and stays within the values there are', () => {
    const size = fc.integer({ min: 1, max: 12 });
    fc.assert(
      fc.property(size, size, size, size, fc.integer({ min: 0, max: 255 }), (width, height, w, h, value) => {
        const flat = { width, height, channels: 1, data: new Uint8Array(width * height).fill(value) };
        expect(new Set(resize(flat, { width: w, height: h }).data)).toEqual(new Set([value]));
        const steep = { ...flat, data: flat.data.map((_, i) => (i % 2 === 0 ? value : 255 - value)) };
        const [low, high] = [Math.min(value, 255 - value), Math.max(value, 255 - value)];
        expect(resize(steep, { width: w, height: h }).data.every((each) => each >= low && each <= high)).toBe(true);
      }),
    );
  });
});

describe('cropCentre', () => {
  it('cuts the middle, with odd rests as torchvision splits them', () => {
    expect([...cropCentre(row(0, 1, 2, 3), { width: 2, height: 1 }).data]).toEqual([1, 2]);
    expect([...cropCentre(row(0, 1, 2), { width: 2, height: 1 }).data]).toEqual([0, 1]);
    expect([...cropCentre(row(0, 1, 2, 3, 4), { width: 2, height: 1 }).data]).toEqual([2, 3]);
  });
});
