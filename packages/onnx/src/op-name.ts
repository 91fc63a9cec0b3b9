import { domainOf } from '@espalier/core';

/** The default domain has two spellings in files; graphs know one. */
export const plainDomain = (domain: string): string => (domain === 'ai.onnx' ? '' : domain);

/** The op name of a graph: the plain name in the default domain, `domain::Name` elsewhere. */
export function opNameOf(domain: string, name: string): string {
  const plain = plainDomain(domain);
  return plain === '' && !name.includes('::') ? name : `${plain}::${name}`;
}

/** Domain and name of an op; the inverse of `opNameOf`. */
export function splitOpName(op: string): { readonly domain: string; readonly name: string } {
  const at = op.indexOf('::');
  return { domain: domainOf(op), name: at < 0 ? op : op.slice(at + 2) };
}
