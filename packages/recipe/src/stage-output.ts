import { beside, type Exporter, type Files, folderOf, type Graph } from '@espalier/core';

/** A written model that does not have its final name yet. */
export interface StagedOutput {
  /** Where the model stands now, to be loaded and compared. */
  readonly path: string;
  /** Bytes of all files together. */
  readonly bytes: number;
  /** Gives every file its final name, the model last; returns the final paths. */
  accept(): Promise<readonly string[]>;
  /** Removes everything that was staged; harmless after `accept`. */
  discard(): Promise<void>;
}

/**
 * Writes a model into a staging folder beside its destination, so that it can be verified before it replaces
 * anything: a run that fails or is killed leaves the old file.
 */
export async function stageOutput(
  graph: Graph,
  to: { readonly exporter: Exporter; readonly files: Files; readonly path: string },
): Promise<StagedOutput> {
  const { exporter, files, path } = to;
  const folder = beside(path, `.espalier-${crypto.randomUUID()}`);
  const name = path.slice(path.lastIndexOf('/') + 1);
  const discard = () => files.remove(folder);
  try {
    const written = await exporter.write(graph, files, `${folder}/${name}`);
    const sizes = await Promise.all(written.map((each) => files.size(each)));
    return {
      path: `${folder}/${name}`,
      bytes: sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0),
      async accept() {
        const moves = written.map((from) => ({
          from,
          to: `${folderOf(path) ? `${folderOf(path)}/` : ''}${from.slice(folder.length + 1)}`,
        }));
        for (const move of moves.filter(({ to: target }) => target !== path)) await files.move(move.from, move.to);
        for (const move of moves.filter(({ to: target }) => target === path)) await files.move(move.from, move.to);
        await discard();
        return moves.map((move) => move.to);
      },
      discard,
    };
  } catch (error) {
    await discard();
    throw error;
  }
}
