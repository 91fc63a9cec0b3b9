import type { Axis, AxisPort, AxisSite } from '@espalier/core';

/** Part of an axis that holds whole heads one after the other. Default: all of it. */
export interface HeadPart {
  readonly axis: Axis;
  readonly from?: number;
  readonly count?: number;
}

/** A part from an axis of a port that may be absent. */
export const headsAlong = (port: AxisPort | undefined, axis: number): readonly HeadPart[] =>
  port?.axes[axis] ? [{ axis: port.axes[axis]! }] : [];

/**
 * Makes the i-th of `units` equal pieces of every part one thing: a head with its rows in the projections of queries,
 * keys and values, or one head of keys and values with all queries that share it.
 */
export function relateHeads(site: AxisSite, units: number, parts: readonly HeadPart[]): void {
  const [first] = parts;
  if (!first) return;
  const whole = ({ axis, count = axis.size }: HeadPart) => count;
  if (!(units >= 1) || parts.some((part) => whole(part) % units !== 0)) {
    for (const { axis } of parts) site.pin(axis, 'its heads do not fit its channels');
    return;
  }
  const stride = whole(first) / units;
  for (const part of parts) {
    const { axis, from = 0 } = part;
    const per = whole(part) / units;
    site.map(axis, first.axis, (i) => {
      const unit = Math.floor((i - from) / per);
      return unit >= 0 && unit < units ? (first.from ?? 0) + unit * stride : -1;
    });
  }
}

/** Pins every axis of some ports except the given ones. */
export function pinOthers(
  site: AxisSite,
  ports: readonly (AxisPort | undefined)[],
  { but, reason }: { readonly but: ReadonlySet<Axis>; readonly reason: string },
): void {
  for (const port of ports) for (const axis of port?.axes ?? []) if (!but.has(axis)) site.pin(axis, reason);
}
