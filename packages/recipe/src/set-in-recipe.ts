import { badValue } from './errors.js';

/**
 * A copy of a recipe with one place set, as `--set steps[1].prune.with.sparsity=0.6` does. Objects on the way are
 * made; list indices must exist. The value is read as JSON where it is JSON, as text otherwise. A step written as a
 * bare id (`prune: magnitude`) becomes `{ use: magnitude, with: {...} }` when the path goes on through `with`.
 * @throws RECIPE_INVALID on a malformed path, a prototype key or an index beyond the end.
 */
export function setInRecipe(recipe: unknown, assignment: string): unknown {
  const at = assignment.indexOf('=');
  if (at < 1) throw badValue('--set', 'PATH=VALUE, such as steps[1].prune.with.sparsity=0.6', assignment);
  return put(recipe, pathOf(assignment.slice(0, at)), writtenValue(assignment.slice(at + 1)));
}

type Path = readonly (string | number)[];

function pathOf(text: string): Path {
  const parts = [...text.matchAll(/(?:^|\.)([A-Za-z$][\w$-]*)|\[(\d+)\]/gy)];
  const used = parts.reduce((sum, part) => sum + part[0].length, 0);
  if (used !== text.length) throw badValue('--set', 'a path of names and [indices] joined by dots', text);
  return parts.map(([, name, index]) => name ?? Number(index));
}

function writtenValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function put(target: unknown, path: Path, value: unknown, where = ''): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  const here = typeof key === 'number' ? `${where}[${key}]` : where ? `${where}.${key}` : key;
  if (typeof key === 'number') {
    if (!Array.isArray(target) || key >= target.length) {
      throw badValue(
        `--set ${here}`,
        'a list with that index',
        Array.isArray(target) ? `a list of ${target.length}` : target,
      );
    }
    return target.map((each, i) => (i === key ? put(each, rest, value, here) : each));
  }
  if (key === '__proto__' || key === 'constructor' || key === 'prototype')
    throw badValue(`--set ${here}`, 'an ordinary key', key);
  const base = typeof target === 'string' && key === 'with' ? { use: target } : (target ?? {});
  if (typeof base !== 'object' || Array.isArray(base)) throw badValue(`--set ${here}`, 'an object on the way', target);
  const record = base as Readonly<Record<string, unknown>>; // checked just above
  return { ...record, [key]: put(Object.hasOwn(record, key) ? record[key] : undefined, rest, value, here) };
}
