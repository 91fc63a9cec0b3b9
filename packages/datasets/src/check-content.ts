import { problem } from '@espalier/core';
import type { PublishedFile } from './published-file.js';

/** Compares unpacked content with what was published. @throws DATA_CHECKSUM. */
export async function checkContent(content: Uint8Array, file: PublishedFile, where: string): Promise<void> {
  const digest = await crypto.subtle.digest('SHA-256', content as Uint8Array<ArrayBuffer>); // never a shared buffer here
  const found = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
  if (found === file.sha256) return;
  throw problem('DATA_CHECKSUM', {
    where,
    expected: `the content of ${file.path}, SHA-256 ${file.sha256}`,
    found: `${content.length} bytes with SHA-256 ${found}`,
    fix: 'The file is damaged or another one: remove it, or use another mirror.',
    details: { file: file.path },
  });
}
