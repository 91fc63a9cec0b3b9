import { type AnyPlugin, EspalierError, type Graph, joinBytes, memoryFiles } from '@espalier/core';
import { thrownText } from './errors.js';
import { fingerprint } from './graph-fingerprint.js';
import { type Check, type Kit, must } from './kit.js';
import { build, type PluginUnderTest, pluginChecks } from './plugin-checks.js';
import { type SampleGraph, sampleGraphs } from './sample-graphs.js';

/** Options of the kit for file formats. */
export interface FormatUnderTest extends PluginUnderTest {
  /** Graphs to write and read; the samples of this package when left out. */
  readonly graphs?: readonly SampleGraph[];
  /** The part of a graph to compare. Default: all but `provenance`, which writers extend. */
  readonly comparable?: (graph: Graph) => unknown;
}

/** The contract of an importer and an exporter of one format: a written graph reads back unchanged. */
export function describeFormat(
  { reader, writer }: { readonly reader: AnyPlugin<'import'>; readonly writer: AnyPlugin<'export'> },
  test: FormatUnderTest = {},
): Kit {
  const graphs = test.graphs ?? sampleGraphs();
  const importer = build(reader, {});
  const exporter = build(writer, test);
  const path = `model.${exporter.extension}`;
  const checks: Check[] = [
    {
      name: 'reads the ending that it writes',
      run: () =>
        must(importer.extensions.includes(exporter.extension), path, {
          expected: importer.extensions.join(),
          found: exporter.extension,
        }),
    },
    {
      name: 'does not take other bytes for its own',
      run: () =>
        must(!importer.recognises(new Uint8Array()), path, {
          expected: 'no bytes not to be recognised',
          found: 'a match',
        }),
    },
  ];
  for (const sample of graphs)
    checks.push(...checksOn(sample, { importer, exporter, path, comparable: test.comparable ?? withoutProvenance }));
  return {
    about: `format ${writer.id}`,
    checks: [...pluginChecks(reader, {}), ...pluginChecks(writer, test), ...checks],
  };
}

const withoutProvenance = ({ provenance: _, ...rest }: Graph): unknown => rest;

interface Format {
  readonly importer: ReturnType<AnyPlugin<'import'>>;
  readonly exporter: ReturnType<AnyPlugin<'export'>>;
  readonly path: string;
  readonly comparable: (graph: Graph) => unknown;
}

function checksOn({ name, graph }: SampleGraph, { importer, exporter, path, comparable }: Format): readonly Check[] {
  const write = async (each: Graph) => {
    const content = new Map<string, Uint8Array>();
    const written = await exporter.write(each, memoryFiles(content), path);
    return { content, written };
  };
  return [
    {
      name: `gives back the graph that was written (${name})`,
      async run() {
        const { content } = await write(graph);
        const head = content.get(path)?.subarray(0, 64) ?? new Uint8Array();
        must(importer.recognises(head), path, { expected: 'its own bytes to be recognised', found: 'no match' });
        const back = await importer.read(memoryFiles(content), path);
        const [wanted, found] = [fingerprint(comparable(graph)), fingerprint(comparable(back))];
        must(found === wanted, `${path} of ${name}`, { expected: wanted, found });
      },
    },
    {
      name: `writes the same bytes every time, and names every file (${name})`,
      async run() {
        const before = fingerprint(graph);
        const [first, second] = [await write(graph), await write(graph)];
        must(fingerprint(first.content) === fingerprint(second.content), path, {
          expected: 'equal bytes',
          found: 'different ones',
        });
        must([...first.content.keys()].sort().join() === [...first.written].sort().join(), path, {
          expected: [...first.content.keys()].join(),
          found: first.written.join(),
        });
        must(fingerprint(graph) === before, path, { expected: 'the graph as it was', found: 'a changed argument' });
      },
    },
    {
      name: `answers damaged files with an error or a graph, never otherwise (${name})`,
      async run() {
        const { content } = await write(graph);
        const whole = joinBytes([content.get(path) ?? new Uint8Array()]);
        for (let i = 1; i <= 16; i++) {
          const damaged =
            i % 2
              ? whole.slice(0, Math.floor((whole.length * i) / 17))
              : whole.slice().fill(255, (whole.length * i) >> 5, ((whole.length * i) >> 5) + 4);
          try {
            await importer.read(memoryFiles(new Map(content).set(path, damaged)), path);
          } catch (error) {
            must(error instanceof EspalierError, path, { expected: 'an EspalierError', found: thrownText(error) });
          }
        }
      },
    },
  ];
}
