import { problem } from '@espalier/core';
import type { PreprocessFields } from '@espalier/recipe';
import type { Command } from 'commander';

/** Flags that every verb which runs something takes. */
export interface SharedFlags {
  readonly json?: true;
  readonly quiet?: true;
  readonly executor: string;
  readonly threads?: string;
  readonly seed?: string;
  readonly plugin: readonly string[];
}

/** Flags that say what the samples are and how they become the model's input. */
export interface DataFlags {
  readonly data?: string;
  readonly mean?: string;
  readonly std?: string;
  readonly scale?: string;
  readonly layout?: string;
  readonly resize?: string;
}

/** Collects the values of a flag that can be given several times. */
export const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];

/** Adds the shared flags to a verb. */
export const withSharedFlags = (command: Command): Command =>
  command
    .option('--json', 'print one JSON document')
    .option('--quiet', 'no progress')
    .option('--executor <id>', 'auto, or the id of an executor plugin', 'auto')
    .option('--threads <n>', 'threads of the executor')
    .option('--seed <n>', 'seed of all randomness')
    .option(
      '--plugin <package>',
      'a package, file or folder with further plugins, as [NAMESPACE=]PACKAGE (repeatable)',
      collect,
      [],
    );

/** Adds the flags of evaluation data and preprocessing to a verb. */
export const withDataFlags = (command: Command): Command =>
  command
    .option(
      '--data <spec>',
      'labelled data: fashion-mnist[:split][:N], images:DIR[:N], idx:IMAGES,LABELS, cifar10:DIR, npz:FILE, npy:FILE, synthetic[:split][:N], random:N',
    )
    .option('--mean <list>', 'per channel, subtracted after scaling: 0.485,0.456,0.406')
    .option('--std <list>', 'per channel, divided by')
    .option('--scale <x>', 'factor for raw pixels (default 1/255)')
    .option('--layout <layout>', 'nchw or nhwc (default: from the model)')
    .option('--resize <size>', 'HEIGHT,WIDTH or one number (default: from the model)');

/** Flags of verbs that may train. */
export interface TrainingFlags {
  readonly training?: string;
  readonly checkpoint?: string;
  readonly resume?: string;
}

/** Adds the flags of training data and checkpoints to a verb. */
export const withTrainingFlags = (command: Command): Command =>
  command
    .option('--training <spec>', "data to learn from, in place of the recipe's")
    .option('--checkpoint <folder>', 'start a new training and save its state there')
    .option(
      '--resume <folder>',
      'continue from the state in that folder and save it there; starts a new training if there is none',
    );

/** Where checkpoints are kept, and whether training goes on from them. @throws FLAG_INVALID. */
export function checkpointOf({ checkpoint, resume }: TrainingFlags) {
  if (checkpoint !== undefined && resume !== undefined && checkpoint !== resume) {
    throw badFlag('--checkpoint', `the folder that --resume names, ${resume}, or --resume alone`, checkpoint);
  }
  const folder = resume ?? checkpoint;
  return folder === undefined ? undefined : { folder, resume: resume !== undefined };
}

/** Reads a flag that is a number. @throws FLAG_INVALID. */
export function numberFlag(
  name: string,
  text: string | undefined,
  { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY, integer = false } = {},
): number | undefined {
  if (text === undefined) return undefined;
  const value = fraction(text);
  if (value !== undefined && value >= min && value <= max && (!integer || Number.isSafeInteger(value))) return value;
  throw badFlag(
    name,
    `${integer ? 'a whole number' : 'a number'}${Number.isFinite(max) ? ` from ${min} to ${max}` : Number.isFinite(min) ? ` of ${min} or more` : ''}`,
    text,
  );
}

/** Reads a flag that is a list of numbers, `1,2,3`. @throws FLAG_INVALID. */
export function listFlag(name: string, text: string | undefined): readonly number[] | undefined {
  return text?.split(',').map((part) => {
    const value = fraction(part);
    if (value === undefined) throw badFlag(name, 'numbers joined by commas', text);
    return value;
  });
}

/** The preprocessing that flags ask for; undefined when none is given. @throws FLAG_INVALID. */
export function preprocessOf(flags: DataFlags): PreprocessFields | undefined {
  const { layout } = flags;
  if (layout !== undefined && layout !== 'nchw' && layout !== 'nhwc') throw badFlag('--layout', 'nchw or nhwc', layout);
  const size = listFlag('--resize', flags.resize);
  if (size && size.length > 2) throw badFlag('--resize', 'HEIGHT,WIDTH or one number', flags.resize ?? '');
  const fields = {
    scale: numberFlag('--scale', flags.scale),
    mean: listFlag('--mean', flags.mean),
    std: listFlag('--std', flags.std),
    layout,
    resize: size?.length === 1 ? [size[0]!, size[0]!] : size,
  };
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return given.length ? Object.fromEntries(given) : undefined;
}

/** The error for a flag whose value does not fit. */
export const badFlag = (name: string, expected: string, found: string) =>
  problem('FLAG_INVALID', { where: name, expected, found: `"${found}"` });

/** A number, or a fraction such as 1/255. */
function fraction(text: string): number | undefined {
  const [top, bottom = '1', ...more] = text.trim().split('/');
  const value = Number(top) / Number(bottom);
  return more.length === 0 && top !== '' && bottom !== '' && Number.isFinite(value) ? value : undefined;
}
