import type { Node } from '@espalier/core';
import type { BlockedWriter } from './blocked-writer.js';

/** Writes a node over blocked values; false, and nothing written, where it does not fit. */
export type BlockedRule = (node: Node, w: BlockedWriter) => boolean;
