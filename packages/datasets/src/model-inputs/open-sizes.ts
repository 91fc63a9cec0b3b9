import type { Dim, Port } from '@espalier/core';

/** The most likely meaning of an open size. */
export type SizeKind = 'batch' | 'past' | 'total' | 'image' | 'audio' | 'sequence';

/** A size that a model leaves open: its name, and what it counts. */
export interface OpenSize {
  readonly name: string;
  readonly kind: SizeKind;
}

const batchName = /^(n|b|bs|batch)$|batch/i;
const pastName = /past|cache|prev/i;
const totalName = /total/i;
const imageName = /^(h|w)$|height|width/i;
const audioName = /audio|wave|speech|signal|samples|input_values/i;
const sequenceName = /seq|len|time|token|position/i;
const maskName = /mask/i;

/** The name of an open dimension: its own, or the place where it stands if it has none. */
export const sizeName = (port: Port, axis: number): string => {
  const dim = port.shape?.[axis];
  return typeof dim === 'string' && dim !== '' && dim !== '?' ? dim : `${port.name}[${axis}]`;
};

/** Whether a dimension has no size yet. */
export const isOpen = (dim: Dim): dim is string => typeof dim === 'string';

interface Place {
  readonly port: Port;
  readonly axis: number;
}

/** The open sizes of a model's inputs, each once, in the order in which they first appear. */
export function openSizes(ports: readonly Port[]): readonly OpenSize[] {
  const places = new Map<string, Place[]>();
  for (const port of ports) {
    port.shape?.forEach((dim, axis) => {
      if (!isOpen(dim)) return;
      const name = sizeName(port, axis);
      const known = places.get(name);
      if (known) known.push({ port, axis });
      else places.set(name, [{ port, axis }]);
    });
  }
  const kinds = new Map([...places].map(([name, list]) => [name, kindOf(name, list)]));
  const past = [...kinds.values()].includes('past');
  return [...kinds].map(([name, kind]) => ({
    name,
    // A mask beside a cache covers what is cached and what is new.
    kind:
      past && kind === 'sequence' && places.get(name)!.every(({ port }) => maskName.test(port.name)) ? 'total' : kind,
  }));
}

function kindOf(name: string, places: readonly Place[]): SizeKind {
  if (totalName.test(name)) return 'total';
  if (batchName.test(name)) return 'batch';
  const [{ port, axis }] = places as [Place]; // a name stands somewhere
  const rank = port.shape!.length; // it has an axis
  if (places.some((place) => place.axis === 0 && place.port.shape!.length > 1) && !sequenceName.test(name))
    return 'batch';
  if (pastName.test(name) || (axis > 0 && pastName.test(port.name))) return 'past';
  if (imageName.test(name)) return 'image';
  if (audioName.test(name) || (audioName.test(port.name) && axis === rank - 1)) return 'audio';
  if (rank >= 4 && !sequenceName.test(name)) return 'image';
  return 'sequence';
}
