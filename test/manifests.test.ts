import { describe, expect, it } from 'vitest';
import { packages } from './workspace.js';

const published = packages.filter(({ manifest }) => !(manifest as { private?: boolean }).private);

describe('a published package', () => {
  it.each(published.map(({ manifest }) => [manifest.name, manifest] as const))(
    '%s says where it comes from',
    (_, manifest) => {
      const said = manifest as unknown as Record<string, unknown>; // fields that the workspace does not read
      expect(said['keywords']).toEqual(expect.arrayContaining(['neural-network', 'model-compression']));
      expect(said['homepage']).toMatch(/#readme$/);
      expect(said['bugs']).toMatch(/\/issues$/);
      expect(said['repository']).toMatchObject({
        type: 'git',
        url: expect.stringMatching(/^git\+https:.*\.git$/),
        directory: expect.any(String),
      });
      expect(String(said['homepage'])).toContain((said['repository'] as { directory: string }).directory);
    },
  );
});
