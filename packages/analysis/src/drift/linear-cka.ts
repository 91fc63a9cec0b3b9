/** Rows of features, one for each sample, row-major. */
export interface Features {
  readonly values: ArrayLike<number>;
  readonly samples: number;
}

/**
 * Linear centered kernel alignment of two representations of the same samples (Kornblith et al. 2019, arXiv 1905.00414,
 * eq. 5 with K = XXᵀ, L = YYᵀ): ⟨K', L'⟩ / (‖K'‖·‖L'‖) with K' = HKH centered. 1 when one is a rotation, an isotropic
 * scaling and a shift of the other, 0 when nothing linear of one is in the other. The two may have different numbers of
 * features. Between 0 and 1; 1 when both do not vary at all, 0 when one of them does not. With fewer samples than
 * features it is biased towards 1: compare figures of the same number of samples. Cost n²·(p + q) for n samples.
 */
export function linearCka(x: Features, y: Features): number {
  const [k, l] = [centeredKernel(x), centeredKernel(y)];
  let [both, xx, yy] = [0, 0, 0];
  for (let i = 0; i < k.length; i++) {
    both += k[i]! * l[i]!;
    xx += k[i]! * k[i]!;
    yy += l[i]! * l[i]!;
  }
  if (xx === 0 || yy === 0) return xx === yy ? 1 : 0;
  const alignment = both / Math.sqrt(xx) / Math.sqrt(yy);
  return Number.isNaN(alignment) ? 0 : Math.min(1, Math.max(0, alignment));
}

/** HXXᵀH: inner products of features about their mean over samples, scaled so that their squares do not overflow. */
function centeredKernel({ values, samples: n }: Features): Float64Array {
  const width = values.length / n;
  const mean = new Float64Array(width);
  for (let i = 0, at = 0; i < n; i++) for (let j = 0; j < width; j++, at++) mean[j]! += values[at]! / n;
  const centered = Array.from({ length: n }, (_, i) => {
    const row = new Float64Array(width);
    for (let j = 0; j < width; j++) row[j] = values[i * width + j]! - mean[j]!;
    return row;
  });
  const kernel = new Float64Array(n * n);
  let most = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const sum = inner(centered[i]!, centered[j]!);
      kernel[i * n + j] = sum;
      kernel[j * n + i] = sum;
      most = Math.max(most, Math.abs(sum));
    }
  }
  return most > 0 ? kernel.map((each) => each / most) : kernel;
}

function inner(a: Float64Array, b: Float64Array): number {
  let even = 0;
  let odd = 0;
  let i = 0;
  for (; i + 1 < a.length; i += 2) {
    even += a[i]! * b[i]!;
    odd += a[i + 1]! * b[i + 1]!;
  }
  return i < a.length ? even + odd + a[i]! * b[i]! : even + odd;
}
