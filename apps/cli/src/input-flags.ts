import { type Files, problem } from '@espalier/core';
import { readArrays } from '@espalier/datasets';
import type { InputRequest } from '@espalier/recipe';
import type { Command } from 'commander';
import { badFlag, collect } from './flags.js';

/** Flags that settle sizes and content of a model's inputs. */
export interface InputFlags {
  readonly dims: readonly string[];
  readonly input: readonly string[];
}

/** Adds the flag for sizes of open dimensions to a verb. */
export const withDimsFlag = (command: Command): Command =>
  command.option(
    '--dims <name=size,...>',
    'sizes of open dimensions: height=320,width=320, or by place: image[2]=320 (repeatable)',
    collect,
    [],
  );

/** Adds the flags for sizes and content of inputs to a verb. */
export const withInputFlags = (command: Command): Command =>
  withDimsFlag(command).option(
    '--input <name=value>',
    'settle an input: NAME=1x3x224x224 its shape, NAME=16000 one number everywhere, NAME=FILE.npy or NAME=FILE.npz an array (repeatable)',
    collect,
    [],
  );

/** Sizes and content of inputs by the flags; undefined where no flag says any. @throws FLAG_INVALID, and what reading arrays throws. */
export async function inputRequestOf({ dims, input }: InputFlags, files: Files): Promise<InputRequest | undefined> {
  if (dims.length + input.length === 0) return undefined;
  const [shapes, values, tensors]: [InputRequest['shapes'][], InputRequest['values'][], InputRequest['tensors'][]] = [
    [],
    [],
    [],
  ];
  for (const text of input) {
    const [name, value] = namedBy(text, '--input');
    const shape = shapeIn(value);
    if (shape) shapes.push(new Map([[name, shape]]));
    else if (Number.isFinite(Number(value))) values.push(new Map([[name, Number(value)]]));
    else tensors.push(new Map([[name, await arrayIn(files, value.replace(/^np[yz]:/, ''), name)]]));
  }
  return { dims: dimsOf(dims), shapes: merged(shapes), values: merged(values), tensors: merged(tensors) };
}

const merged = <V>(maps: readonly ReadonlyMap<string, V>[]): ReadonlyMap<string, V> =>
  new Map(maps.flatMap((map) => [...map]));

/** Sizes by name: `height=320,width=320`. @throws FLAG_INVALID. */
export const dimsOf = (dims: readonly string[]): ReadonlyMap<string, number> =>
  new Map(
    dims
      .flatMap((list) => list.split(','))
      .map((text) => {
        const [name, value] = namedBy(text, '--dims');
        if (!/^[1-9]\d*$/.test(value)) throw badFlag('--dims', 'NAME=SIZE, such as height=320', text);
        return [name, Number(value)];
      }),
  );

function namedBy(text: string, flag: string): readonly [string, string] {
  const at = text.lastIndexOf('=');
  const example = flag === '--dims' ? 'NAME=SIZE, such as height=320' : 'NAME=SHAPE, NAME=NUMBER or NAME=FILE.npy';
  if (at < 1 || at === text.length - 1) throw badFlag(flag, example, text);
  return [text.slice(0, at).trim(), text.slice(at + 1).trim()];
}

/** `1x3x224x224`, or `[16000]` for one axis. */
function shapeIn(text: string): readonly number[] | undefined {
  const [, bracketed] = /^\[([\dx,]*)\]$/.exec(text) ?? [];
  const dims = (bracketed ?? text).split(/[x,]/).filter((part) => part !== '');
  if (bracketed === undefined && dims.length < 2) return undefined;
  return dims.every((dim) => /^\d+$/.test(dim)) ? dims.map(Number) : undefined;
}

async function arrayIn(files: Files, path: string, name: string) {
  const arrays = await readArrays(files, path);
  const array = arrays.get(name) ?? (arrays.size === 1 ? [...arrays.values()][0] : undefined);
  if (array) return array;
  throw problem('DATA_EMPTY', {
    where: `--input ${name}=${path}`,
    expected: `an array ${name}`,
    found: [...arrays.keys()].join(', '),
    fix: `Save it under the name ${name}, or alone in a file.`,
  });
}
