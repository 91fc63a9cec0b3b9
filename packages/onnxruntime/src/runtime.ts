import type { Env, InferenceSession, TensorConstructor } from 'onnxruntime-node';
import { runtimeMissing } from './errors.js';

/** The part of onnxruntime's JavaScript API that both of its packages share. */
export interface Api {
  readonly InferenceSession: {
    create(path: string, options?: InferenceSession.SessionOptions): Promise<InferenceSession>;
    create(bytes: Uint8Array, options?: InferenceSession.SessionOptions): Promise<InferenceSession>;
  };
  readonly Tensor: TensorConstructor;
  readonly env: Env;
}

/** A loaded runtime. */
export interface Runtime {
  readonly package: 'onnxruntime-node' | 'onnxruntime-web';
  readonly version: string;
  readonly api: Api;
}

/** Which of the two packages to use. */
export type Backend = 'auto' | 'node' | 'web';

/** The import of a runtime package. */
export interface Loader {
  readonly package: Runtime['package'];
  load(): Promise<Api>;
}

/**
 * The first runtime that can be imported, in the order given.
 * @throws EXECUTOR_MISSING with the command that installs it.
 */
export async function loadRuntime(loaders: readonly Loader[]): Promise<Runtime> {
  let failure: unknown;
  for (const loader of loaders) {
    try {
      const api = await loader.load();
      const { versions } = api.env;
      const version = (loader.package === 'onnxruntime-node' ? versions.node : versions.web) ?? versions.common;
      return { package: loader.package, version, api };
    } catch (cause) {
      failure ??= cause;
    }
  }
  throw runtimeMissing(
    loaders.map((loader) => loader.package),
    failure,
  );
}
