/** Undefined: in browsers the decoders fetch their own WebAssembly from beside their script, as bundlers arrange. */
export async function readWasm(_codec: 'jpeg' | 'png'): Promise<WebAssembly.Module | undefined> {
  return undefined;
}
