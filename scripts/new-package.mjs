// Writes the skeleton of a package: node scripts/new-package.mjs NAME "One sentence." dep[@range] ...
// Workspace dependencies are named without a range; `peer:` before a name makes an optional peer.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';

const [name, about, ...wanted] = process.argv.slice(2);
const published =
  name === 'espalier' || name === 'cli' ? (name === 'cli' ? '@espalier/cli' : 'espalier') : `@espalier/${name}`;
const folder = name === 'cli' ? 'apps/cli' : `packages/${name}`;
if (existsSync(`${folder}/package.json`)) throw new Error(`${folder} exists already`);
const dependencies = {};
const peerDependencies = {};
const peerDependenciesMeta = {};
const references = [];
for (const word of wanted) {
  const peer = word.startsWith('peer:');
  const bare = peer ? word.slice(5) : word;
  const at = bare.lastIndexOf('@');
  const [id, range] = at > 0 ? [bare.slice(0, at), bare.slice(at + 1)] : [bare, undefined];
  if (peer) {
    peerDependencies[id] = range;
    peerDependenciesMeta[id] = { optional: true };
  } else if (range) dependencies[id] = range;
  else {
    dependencies[id === 'espalier' ? 'espalier' : `@espalier/${id}`] = 'workspace:^';
    references.push({ path: folder.startsWith('apps') ? `../../packages/${id}` : `../${id}` });
  }
}
const json = (value) => `${JSON.stringify(value, null, 2)}\n`;
mkdirSync(`${folder}/src`, { recursive: true });
writeFileSync(
  `${folder}/package.json`,
  json({
    name: published,
    version: '0.0.0',
    description: about,
    license: 'Apache-2.0',
    type: 'module',
    sideEffects: false,
    engines: { node: '>=20.19' },
    exports: {
      '.': { '@espalier/source': './src/index.ts', types: './dist/index.d.ts', default: './dist/index.js' },
      './package.json': './package.json',
    },
    files: ['dist', 'src', '!**/*.test.ts', '!**/*.tsbuildinfo'],
    scripts: { build: 'tsc -b' },
    ...(Object.keys(dependencies).length ? { dependencies } : {}),
    ...(Object.keys(peerDependencies).length ? { peerDependencies, peerDependenciesMeta } : {}),
    publishConfig: { access: 'public' },
  }),
);
writeFileSync(
  `${folder}/tsconfig.json`,
  json({
    extends: '../../tsconfig.base.json',
    compilerOptions: { rootDir: 'src', outDir: 'dist', tsBuildInfoFile: 'dist/.tsbuildinfo' },
    include: ['src'],
    exclude: ['src/**/*.test.ts'],
    references,
  }),
);
writeFileSync(`${folder}/src/index.ts`, 'export {};\n');
