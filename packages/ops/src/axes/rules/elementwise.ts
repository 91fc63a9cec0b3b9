import type { AxisPort, AxisRule, AxisSite, Role } from '@espalier/core';
import { sameEach } from './same-each.js';

/** Joins every input's axes, aligned at the last one, with those of the output; sizes of one are repeated. */
export function broadcast(site: AxisSite, inputs: readonly (AxisPort | undefined)[], output = site.outputs[0]): void {
  if (!output) return;
  for (const input of inputs) {
    if (!input) continue;
    const shift = output.shape.length - input.shape.length;
    input.axes.forEach((axis, i) => {
      const to = output.axes[i + shift]!;
      if (axis.size === to.size) site.same(axis, to);
    });
  }
}

/** The same role for every axis of a constant input. */
export function roles(site: AxisSite, slot: number, role: Role): void {
  for (const axis of site.inputs[slot]?.axes.keys() ?? []) site.role(site.inputs[slot], axis, role);
}

/** Ops that work on each element of one input. */
export const unary: AxisRule = {
  relate(site) {
    for (const output of site.outputs) broadcast(site, site.inputs.slice(0, 1), output);
  },
};

/** Ops on elements at the same place of several inputs. */
export const nary: AxisRule = { relate: (site) => broadcast(site, site.inputs) };

/** The same where zero in a later input is no neutral value: divisors, exponents, slopes, conditions. */
export const firstCounts: AxisRule = {
  relate(site) {
    broadcast(site, site.inputs);
    for (let slot = 1; slot < site.inputs.length; slot++) roles(site, slot, 'keeps');
  },
};

/** A choice between two inputs: the condition is no data. */
export const where: AxisRule = {
  relate(site) {
    broadcast(site, site.inputs);
    roles(site, 0, 'keeps');
  },
};

/** An activation with a bias along the last axis. */
export const biasThenUnary: AxisRule = { relate: (site) => broadcast(site, site.inputs.slice(0, 2)) };

/** Dropout of a biased value with a residual: what is given beside the result is a mask of the same shape. */
export const biasDropout: AxisRule = {
  relate(site) {
    for (const output of site.outputs) broadcast(site, site.inputs.slice(0, 3), output);
  },
};

/** The first half of the channels times an activation of the second. */
export const biasSplitGelu: AxisRule = {
  relate(site) {
    const [x, bias] = site.inputs;
    const y = site.outputs[0];
    if (!x || !y) return site.pinAll('its shapes are not known');
    const [wide, half] = [x.axes.at(-1)!, y.axes.at(-1)!];
    sameEach(site, x.axes.slice(0, -1), y.axes);
    site.map(wide, half, (i) => i % half.size);
    if (bias) site.same(bias.axes[0]!, wide);
  },
};
