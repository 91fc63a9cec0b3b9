import { kernelsBase64 } from './generated/kernels.js';

type Numbers<N extends number, T extends readonly number[] = []> = T['length'] extends N
  ? T
  : Numbers<N, [...T, number]>;
type Routine<N extends number, R = void> = (...given: Numbers<N>) => R;

/** The routines of `assembly/`, by name; what each does and takes is said there. Numbers are pointers and sizes. */
export interface KernelModule {
  readonly unary: Routine<6>;
  readonly binary: Routine<6>;
  readonly select: Routine<7>;
  readonly copy: Routine<4>;
  readonly fill: Routine<3>;
  readonly gather: Routine<7, number>;
  readonly elementsAlong: Routine<8, number>;
  readonly rowsAt: Routine<6>;
  readonly runningSum: Routine<7>;
  readonly resample: Routine<9>;
  readonly frame: Routine<12>;
  readonly convolve: Routine<18>;
  readonly convolutionWeightGradient: Routine<17>;
  readonly depthwise: Routine<17>;
  readonly depthwiseInputGradient: Routine<16>;
  readonly depthwiseWeightGradient: Routine<16>;
  readonly gemm: Routine<12>;
  readonly reduce: Routine<7>;
  readonly argExtreme: Routine<7>;
  readonly softmax: Routine<5>;
  readonly normalizeRows: Routine<7>;
  readonly columnMoments: Routine<6>;
  readonly columnAffine: Routine<8>;
  readonly columnProducts: Routine<8>;
  readonly maxPool: Routine<16>;
  readonly maxPoolGradient: Routine<18>;
  readonly averagePool: Routine<19>;
  readonly quantize: Routine<10>;
  readonly quantizeGradient: Routine<11>;
}

/** The routines, working in the given memory. They have no data of their own in it. */
export async function loadKernels(memory: WebAssembly.Memory): Promise<KernelModule> {
  const bytes = Uint8Array.from(atob(kernelsBase64), (letter) => letter.charCodeAt(0));
  const { instance } = await WebAssembly.instantiate(bytes, { env: { memory } });
  return instance.exports as unknown as KernelModule; // assembly/index.ts exports exactly these
}
