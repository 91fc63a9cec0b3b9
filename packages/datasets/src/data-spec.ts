import { nearest, type Reference } from '@espalier/core';
import { badRequest } from './errors.js';

/** The reader of the text after the name, which returns options. */
interface Form {
  readonly usage: string;
  read(rest: string): Readonly<Record<string, unknown>> | undefined;
}

const splits = ['train', 'test'];

const named = (id: string): Form => ({
  usage: `${id}[:train|:test][:N]`,
  read(rest) {
    if (rest === '') return {};
    return splits.includes(rest) ? { split: rest } : undefined;
  },
});

const path = (usage: string): Form => ({ usage, read: (rest) => (rest === '' ? undefined : { path: rest }) });

const forms: Readonly<Record<string, Form>> = {
  'fashion-mnist': named('fashion-mnist'),
  mnist: named('mnist'),
  synthetic: named('synthetic'),
  idx: {
    usage: 'idx:IMAGES,LABELS[:N]',
    read(rest) {
      const [images, labels, ...more] = rest.split(',');
      if (!images || more.length > 0) return undefined;
      return labels ? { images, labels } : { images };
    },
  },
  cifar10: path('cifar10:DIR[:N]'),
  images: path('images:DIR[:N]'),
  npz: path('npz:FILE[:N]'),
  npy: path('npy:FILE[:N]'),
  random: { usage: 'random[:N][,NAME=NUMBER...]', read: namedNumbers },
};

/** Sizes of dimensions and values of inputs share one list: each is looked up by its own name. */
function namedNumbers(rest: string): Readonly<Record<string, unknown>> | undefined {
  const [count = '', ...pairs] = rest.split(',');
  if (!/^\d*$/.test(count) || pairs.some((pair) => !/^[^=]+=[^=]+$/.test(pair))) return undefined;
  return {
    ...(count === '' ? {} : { take: Number(count) }),
    ...(pairs.length ? { dims: pairs.filter((pair) => /=[1-9]\d*$/.test(pair)), values: pairs } : {}),
  };
}

/**
 * Reads a data specification as the command line takes it: `fashion-mnist[:split][:N]`, `synthetic[:split][:N]`,
 * `idx:IMAGES,LABELS`, `cifar10:DIR`, `images:DIR`, `npz:FILE`, `npy:FILE`, `random:N`, which takes sizes of
 * dimensions and values of inputs too: `random:8,sequence=576,sr=16000`. Every form may end in `:N`, the number of
 * samples to draw.
 * `parseDataSpec('fashion-mnist:train:256')` is `{ use: 'fashion-mnist', with: { split: 'train', take: 256 } }`.
 * @throws DATA_SPEC with the nearest spelling.
 */
export function parseDataSpec(text: string): Reference {
  const [, id = '', tail = ''] = /^([^:]*):?(.*)$/s.exec(text.trim()) ?? [];
  const form = Object.hasOwn(forms, id) ? forms[id] : undefined;
  if (!form) throw unknownForm(text, id);
  const [, before = '', count] = /^(.*?)(?:(?:^|:)(\d+))?$/s.exec(tail) ?? [];
  if (count !== undefined && !(Number(count) >= 1 && Number.isSafeInteger(Number(count)))) {
    throw badRequest(`data "${text}"`, { expected: 'a number of samples of 1 or more', found: count });
  }
  const options = form.read(before);
  if (!options) {
    const guess = nearest(before, splits);
    throw badRequest(`data "${text}"`, {
      expected: form.usage,
      found: before === '' ? 'nothing after the colon' : `"${before}"`,
      ...(form.usage.includes('train') && guess ? { fix: `Did you mean "${guess}"?` } : {}),
    });
  }
  const all = count === undefined ? options : { ...options, take: Number(count) };
  return Object.keys(all).length === 0 ? id : { use: id, with: all };
}

function unknownForm(text: string, id: string) {
  const guess = nearest(id, Object.keys(forms));
  const hint = /[/\\.]/.test(text) ? 'For files, write their kind first: images:, idx:, cifar10:, npz: or npy:.' : '';
  return badRequest(`data "${text}"`, {
    expected: `one of ${Object.values(forms)
      .map(({ usage }) => usage)
      .join(', ')}`,
    found: `"${id}"`,
    fix: guess ? `Did you mean "${guess}"?` : hint || 'Names of third-party data sets go into a recipe.',
  });
}
