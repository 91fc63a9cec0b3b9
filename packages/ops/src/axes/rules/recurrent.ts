import { type AxisPort, type AxisRule, type AxisSite, int } from '@espalier/core';

/** Activations that make nothing of zero. */
const keepsZero = new Set(['tanh', 'relu', 'leakyrelu', 'thresholdedrelu', 'elu', 'softsign', 'scaledtanh', 'affine']);

/** The number of activations of a direction, and the ones that produce the state: they must map zero to zero. */
interface Activations {
  readonly count: number;
  readonly state: readonly number[];
}

function movesZero({ node }: AxisSite, { count, state }: Activations): boolean {
  const written = node.attributes.get('activations');
  if (written?.kind !== 'texts') return false;
  // Affine is α·x + β, with β in a list of its own.
  const shifted = node.attributes.has('activation_beta') && written.value.some((name) => /affine/i.test(name));
  return shifted || written.value.some((name, i) => state.includes(i % count) && !keepsZero.has(name.toLowerCase()));
}

/**
 * Hidden units: gate after gate along the second axis of W [directions, gates·H, I], R [directions, gates·H, H] and
 * B [directions, 2·gates·H]. A unit whose weights are all zero stays at zero when it begins there.
 */
const recurrent = (activations: Activations, peepholes = false): AxisRule => ({
  relate(site) {
    const [x, w, r, b, lengths, h, c, p] = site.inputs;
    if (!x || !w || !r) return site.pinAll('its shapes are not known');
    if (movesZero(site, activations)) return site.pinAll('its activation makes something of zero');
    const hidden = r.axes[2]!;
    const gate = (i: number) => i % hidden.size;
    site.same(x.axes[2]!, w.axes[2]!);
    site.role(w, 2, 'sums');
    site.role(r, 2, 'sums');
    site.map(w.axes[1]!, hidden, gate);
    site.map(r.axes[1]!, hidden, gate);
    if (b) site.map(b.axes[1]!, hidden, gate);
    if (p && peepholes) site.map(p.axes[1]!, hidden, gate);
    for (const state of [h, c, ...site.outputs]) if (state) site.same(state.axes.at(-1)!, hidden);
    const rest: readonly (AxisPort | undefined)[] = [w, r, b, lengths, p];
    for (const port of rest) if (port) site.pin(port.axes[0]!, 'it numbers directions or sequences');
    const between = [
      x.axes[0]!,
      x.axes[1]!,
      ...[h, c, ...site.outputs].flatMap((port) => port?.axes.slice(0, -1) ?? []),
    ];
    for (const axis of between) site.pin(axis, 'it numbers steps, sequences or directions');
  },
  rewrite: (site: AxisSite, kept) => ({ attributes: { hidden_size: int(kept.count(site.inputs[2]!.axes[2]!)) } }),
});

/** A GRU keeps an update gate, so that a unit of zeros halves its state at each step: it stays at zero too. */
export const recurrentRules = {
  GRU: recurrent({ count: 2, state: [1] }),
  LSTM: recurrent({ count: 3, state: [1, 2] }, true),
  RNN: recurrent({ count: 1, state: [0] }),
} as const satisfies Record<string, AxisRule>;
