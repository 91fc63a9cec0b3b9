/** One row of one chunk of a layer: `length` weights of row `row` from column `start` on. */
export interface ChunkSample {
  readonly row: number;
  readonly start: number;
  readonly length: number;
}

/** The division of a layer into chunks. */
export interface ChunkPlan {
  /** Columns in a chunk; the last may have fewer. */
  readonly chunk: number;
  readonly chunks: number;
  readonly samples: readonly ChunkSample[];
}

/**
 * Cuts the columns of a layer into chunks of at most `most`, between input channels where a channel fits (Kuzmin et
 * al. 2023, arXiv 2307.02973, appendix F: 4 channels of a 3x3 convolution, 36 columns), and takes pairs of a row and a
 * chunk. Each chunk gets as many samples as any other (or one more), on rows spread evenly and shifted from chunk to
 * chunk by the golden ratio, so that few samples still meet different rows. The same layer gives the same samples.
 */
export function chunkSamples({
  rows,
  size,
  kernel,
  most,
  count,
}: {
  readonly rows: number;
  readonly size: number;
  readonly kernel: number;
  readonly most: number;
  readonly count: number;
}): ChunkPlan {
  const chunk = Math.min(size, kernel <= most ? Math.floor(most / kernel) * kernel : most);
  const chunks = Math.ceil(size / chunk);
  const total = Math.min(count, rows * chunks);
  const samples: ChunkSample[] = [];
  // With fewer samples than chunks, chunks spread evenly take one each.
  const visited = Math.min(chunks, total);
  for (let visit = 0; visit < visited; visit++) {
    const at = Math.floor((visit * chunks) / visited);
    const share = Math.floor(((visit + 1) * total) / visited) - Math.floor((visit * total) / visited);
    const shift = Math.floor(rows * ((visit * 0.6180339887498949) % 1));
    for (let k = 0; k < share; k++) {
      samples.push({
        row: (shift + Math.floor((k * rows) / share)) % rows,
        start: at * chunk,
        length: Math.min(chunk, size - at * chunk),
      });
    }
  }
  return { chunk, chunks, samples };
}
