import { type Dim, textOf } from '@espalier/core';
import { broadcast } from './broadcast.js';
import { type ShapeRule, type Site, typeOf } from './site.js';

/** One term of an equation: its letters, with `...` as one of them. */
type Term = readonly string[];

function termOf(site: Site, text: string): Term {
  const letters = text.match(/\.\.\.|[A-Za-z]/g) ?? [];
  if (letters.join('') !== text || letters.filter((each) => each === '...').length > 1) {
    throw site.fail({ expected: 'terms of letters and at most one "..." each', found: `"${text}"` });
  }
  return letters;
}

/** The letters that stand once in all inputs, sorted, behind `...`: what an equation without an arrow gives. */
function implied(inputs: readonly Term[]): Term {
  const counts = new Map<string, number>();
  for (const letter of inputs.flat()) counts.set(letter, (counts.get(letter) ?? 0) + 1);
  const single = [...counts].filter(([letter, count]) => count === 1 && letter !== '...').map(([letter]) => letter);
  return [...(counts.has('...') ? ['...'] : []), ...single.sort()];
}

/** Sizes by letter; equal letters broadcast, as do the axes that `...` stands for. */
function sizesOf(site: Site, terms: readonly Term[], shapes: readonly (readonly Dim[])[]) {
  const sizes = new Map<string, readonly Dim[]>();
  for (const [i, term] of terms.entries()) {
    const shape = shapes[i]!;
    const dots = term.includes('...') ? shape.length - term.length + 1 : 0;
    if (dots < 0 || (!term.includes('...') && term.length !== shape.length)) {
      throw site.fail({ expected: `input ${i} of rank ${term.length}`, found: `rank ${shape.length}` });
    }
    let axis = 0;
    for (const letter of term) {
      const width = letter === '...' ? dots : 1;
      const part = shape.slice(axis, axis + width);
      const before = sizes.get(letter);
      sizes.set(letter, before ? broadcast(site, [before, part]) : part);
      axis += width;
    }
  }
  return sizes;
}

/** Einstein summation: the output's letters looked up among those of the inputs. */
export const einsum: ShapeRule = (site) => {
  const equation = textOf(site.node, 'equation', '').replaceAll(' ', '');
  const [left = '', right] = equation.split('->');
  const terms = left.split(',').map((text) => termOf(site, text));
  if (terms.length !== site.node.inputs.length) {
    throw site.fail({ expected: `an equation of ${site.node.inputs.length} terms`, found: `"${equation}"` });
  }
  const shapes = terms.map((_, slot) => site.shape(slot)).filter((shape) => shape !== undefined);
  if (shapes.length < terms.length) return [typeOf(site.dtype(0))];
  const sizes = sizesOf(site, terms, shapes);
  const out = (right === undefined ? implied(terms) : termOf(site, right)).flatMap((letter) => {
    const size = sizes.get(letter) ?? (letter === '...' ? [] : undefined);
    if (size) return size;
    throw site.fail({ expected: 'output letters that stand in an input', found: `"${letter}" in "${equation}"` });
  });
  return [typeOf(site.dtype(0), out)];
};
