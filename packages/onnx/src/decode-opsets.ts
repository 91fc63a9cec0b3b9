import { type DecodeContext, placeIn } from './decode-context.js';
import { malformed } from './errors.js';
import { plainDomain } from './op-name.js';
import type { Proto } from './schema.js';

/** Version per domain; of a domain that comes twice, the higher one, as onnx.proto says. @throws ONNX_MALFORMED. */
export function decodeOpsets(
  context: DecodeContext,
  protos: readonly Proto<'OperatorSet'>[],
  path: string,
): ReadonlyMap<string, number> {
  const opsets = new Map<string, number>();
  protos.forEach((proto, i) => {
    const { domain = '', version = 0 } = proto;
    if (!Number.isSafeInteger(version) || version < 1) {
      throw malformed(placeIn(context, proto, `${path}[${i}]`), {
        expected: 'a version of 1 or more',
        found: `${version}`,
      });
    }
    opsets.set(plainDomain(domain), Math.max(version, opsets.get(plainDomain(domain)) ?? 0));
  });
  return opsets;
}
