import { expect, test } from 'vitest';
import { textTable } from './text-table.js';

test('columns are aligned, numbers to the right, without trailing blanks', () => {
  const table = textTable(
    [{ title: 'layer' }, { title: 'MACs', align: 'right' }, { title: 'op' }],
    [
      ['conv', 442368, 'Conv'],
      ['classifier', 160, ''],
    ],
  );
  expect(table.split('\n')).toEqual([
    'layer         MACs  op',
    '──────────  ──────  ────',
    'conv        442368  Conv',
    'classifier     160',
  ]);
});

test('names cannot steer a terminal or break a row', () => {
  const table = textTable([{ title: 'name' }], [['\u001b[31mred\nnext\u202e']]);
  expect(table.split('\n')).toHaveLength(3);
  for (const mark of ['\u001b', '\u202e']) expect(table).not.toContain(mark);
});
