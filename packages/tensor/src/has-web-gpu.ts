/** Whether this runtime has WebGPU and an adapter to run on. */
export async function hasWebGpu(): Promise<boolean> {
  return (await globalThis.navigator?.gpu?.requestAdapter().catch(() => null)) != null;
}
