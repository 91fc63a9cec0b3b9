/** A file that a data set is published as, packed with gzip. */
export interface PublishedFile {
  /** Folder and name below a data folder: `fashion-mnist/train-images-idx3-ubyte.gz`. */
  readonly path: string;
  /** Where it can be had; tried in this order. */
  readonly addresses: readonly string[];
  /** Size of the content, unpacked. */
  readonly bytes: number;
  /** SHA-256 of the content, unpacked: mirrors and tools recompress files, but the content stays. Lower-case hexadecimal. */
  readonly sha256: string;
}
