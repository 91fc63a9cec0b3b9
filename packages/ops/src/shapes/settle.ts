import type { Dim, ValueInfo } from '@espalier/core';

/**
 * The type to use for a value: the inferred one if there is one; a size that inference had to leave open
 * (a name it made itself) is taken from the file when that names it. Real files lie, so the file never overrules.
 */
export function settle(declared: ValueInfo | undefined, found: ValueInfo | undefined): ValueInfo | undefined {
  if (!found || !declared) return found ?? declared;
  if (!sameContainer(declared, found)) return found;
  const shape = settleShape(declared.shape, found.shape);
  const same = declared.dtype === found.dtype && sameShape(declared.shape, shape);
  if (same) return declared;
  return { ...found, ...(shape ? { shape } : {}) };
}

function settleShape(
  declared: readonly Dim[] | undefined,
  found: readonly Dim[] | undefined,
): readonly Dim[] | undefined {
  if (!found || !declared) return found ?? declared;
  if (found.length !== declared.length || sameShape(declared, found)) return found;
  return found.map((dim, axis) => (isOpen(dim) && !isOpen(declared[axis]!) ? declared[axis]! : dim));
}

const isOpen = (dim: Dim): boolean => typeof dim === 'string' && dim.startsWith('?');

/** Whether two shapes are equal, size by size and name by name. */
export const sameShape = (a: readonly Dim[] | undefined, b: readonly Dim[] | undefined): boolean =>
  a === b || (a !== undefined && b !== undefined && a.length === b.length && a.every((dim, axis) => dim === b[axis]));

/** Whether two types are equal. */
export const sameInfo = (a: ValueInfo | undefined, b: ValueInfo): boolean =>
  a !== undefined && a.dtype === b.dtype && sameShape(a.shape, b.shape) && sameContainer(a, b);

const sameContainer = (a: ValueInfo, b: ValueInfo): boolean =>
  a.container === b.container || JSON.stringify(a.container) === JSON.stringify(b.container);
