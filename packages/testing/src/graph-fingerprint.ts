/**
 * A text that is equal for values of equal content: graphs, tensors, maps, evidence. Big arrays enter by a hash of
 * their bytes, so that a model can be compared with what it was before.
 */
export const fingerprint = (value: unknown): string => JSON.stringify(plain(value));

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : Number.isFinite(value) ? value : `${value}`;
  if (typeof value === 'function') return 'function';
  if (typeof value !== 'object' || value === null) return value;
  if (ArrayBuffer.isView(value)) {
    const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    return `${value.constructor.name}(${value.byteLength}) ${hash(bytes)}`;
  }
  if (value instanceof Map) return { map: sorted([...value].map(([key, inner]) => [`${key}`, plain(inner)])) };
  if (value instanceof Set) return { set: [...value].map(plain) };
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(sorted(Object.entries(value).map(([key, inner]) => [key, plain(inner)])));
}

// The order of a map's entries says nothing.
const sorted = (entries: [string, unknown][]): readonly [string, unknown][] =>
  entries.sort(([a], [b]) => (a < b ? -1 : 1)); // a list made for this

// Two 32-bit FNV-1a hashes with different primes: enough to notice a change, not meant against forgery.
function hash(bytes: Uint8Array): string {
  let a = 0x811c9dc5;
  let b = 0x9e3779b9;
  for (let i = 0; i < bytes.length; i++) {
    a = Math.imul(a ^ bytes[i]!, 0x01000193);
    b = Math.imul(b ^ bytes[i]!, 0x85ebca6b) ^ (b >>> 15);
  }
  return `${(a >>> 0).toString(16)}${(b >>> 0).toString(16)}`;
}
