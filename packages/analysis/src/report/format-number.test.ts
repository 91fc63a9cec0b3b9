import { expect, test } from 'vitest';
import {
  formatBytes,
  formatChange,
  formatCount,
  formatDb,
  formatMs,
  formatShare,
  significant,
} from './format-number.js';
import { speed } from './headline.js';

test('sizes and counts have three digits and a unit', () => {
  expect(['0 B', '1023 B', '1.06 MiB', '2.00 GiB']).toEqual([0, 1023, 1112227, 2 ** 31].map(formatBytes));
  expect(['0', '12.5', '999', '1.00 k', '40.6 M', '1.81 G']).toEqual(
    [0, 12.5, 999, 999.6, 40551040, 1814073344].map(formatCount),
  );
});

test('what is not known is a dash, never a zero', () => {
  for (const format of [formatBytes, formatCount, formatShare, formatMs, formatDb]) expect(format(null)).toBe('\u2013');
  expect(formatChange(null, 4)).toBe('\u2013');
});

test('changes and speeds say their direction', () => {
  expect(formatChange(400, 100)).toBe('4.00\u00d7 smaller');
  expect(formatChange(100, 150)).toBe('1.50\u00d7 larger');
  expect(formatChange(5, 5)).toBe('the same');
  expect([0.5, 1.01, 2].map(speed)).toEqual(['2.00\u00d7 faster', 'as fast', '2.00\u00d7 slower']);
});

test('the ends of the decibel scale are words', () => {
  expect([300, -300, 19.96].map(formatDb)).toEqual(['equal', 'broken', '20.0 dB']);
});

test('small and large numbers keep three significant digits', () => {
  expect([0.01234, 1234.5, 0, 1e-20].map(significant)).toEqual(['0.0123', '1235', '0', '0.000000000000']);
});
