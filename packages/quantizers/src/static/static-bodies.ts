import type { CompressorContext, Graph, Outcome } from '@espalier/core';
import { noEvidence, subgraphsOf } from '@espalier/core';
import { dynamicCompressor } from '../dynamic/dynamic-compressor.js';
import type { StaticSettings } from './static-settings.js';

/**
 * The bodies of If, Loop and Scan, where calibration measures nothing: their layers have ranges found at run time, as
 * the dynamic quantizer writes them. They stay as they are where the options ask for other integers than 8 bits.
 */
export function quantizeBodies(graph: Graph, settings: StaticSettings, context: CompressorContext): Outcome {
  const { weights, activations, storage, target, perChannel, clip, leftOut } = settings;
  const bits = weights.bits;
  const none = !graph.nodes.some((node) => subgraphsOf(node).length > 0);
  if (none || bits < 7 || bits > 8 || activations.bits !== 8) return { graph, notes: [] };
  const dynamic = dynamicCompressor(
    {
      target,
      weights: { bits, signed: true, symmetric: true, narrow: bits === 8 },
      perChannel,
      clip,
      convs: storage ? 'stored' : 'float',
      recurrent: true,
      embeddings: storage,
      leftOut,
    },
    { bodiesOnly: true },
  );
  return dynamic(graph, context).apply(noEvidence);
}
