import type { Axis, AxisPort, AxisRule, AxisSite, Role } from '@espalier/core';
import type { ProductRule } from '../product.js';

type Roles = ReadonlyMap<AxisPort, ReadonlyMap<number, Role>>;

/** The roles that a rule gives to the axes of inputs, whether they are constants or not; nothing is related. */
function rolesOf(rule: AxisRule, site: AxisSite): Roles {
  const roles = new Map<AxisPort, Map<number, Role>>();
  const ignore = () => {};
  rule.relate({
    ...site,
    elementwise: ignore,
    same: ignore,
    run: ignore,
    map: ignore,
    tie: ignore,
    pin: ignore,
    pinAll: ignore,
    mark: ignore,
    coded: ignore,
    reshape: ignore,
    role(port, axis, role) {
      if (port) roles.set(port, (roles.get(port) ?? new Map<number, Role>()).set(axis, role));
    },
  });
  return roles;
}

/** The axes of a weight that every element of the result sums over: those that are said to, and those of the kernel. */
const summedAxes = ({ axes }: AxisPort, roles: ReadonlyMap<number, Role>): readonly Axis[] =>
  axes.filter((_, i) => ['sums', 'inner'].includes(roles.get(i) ?? 'produces'));

/**
 * The multiply-adds of an op that only its axis rule describes: each element of the first output sums over the axes of
 * a weight with the roles `sums` and `inner`. Where no constant is summed over, the first input that is.
 */
export function derivedProducts(rule: AxisRule, site: AxisSite): ProductRule | undefined {
  const roles = rolesOf(rule, site);
  const summed = site.inputs.flatMap((port, slot) => {
    const own = port && roles.get(port);
    return port && own && [...own.values()].includes('sums') ? [{ port, slot, axes: summedAxes(port, own) }] : [];
  });
  const weights = summed.filter(({ port }) => port.constant);
  const counted = weights.length > 0 ? weights : summed.slice(-1);
  if (counted.length === 0) return undefined;
  const weight = counted[0]!.slot;
  const activation = site.inputs.findIndex((port, slot) => port && !port.constant && slot !== weight);
  return {
    operands: [Math.max(0, activation), weight],
    products: ({ outputs: [y] }) => y && counted.map(({ axes }) => ({ factor: 1, axes: [...y.axes, ...axes] })),
  };
}
