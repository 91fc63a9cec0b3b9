// Adding 1.5 * 2^52 pushes the fraction of a double out of its mantissa, rounding to nearest, ties to even.
const shift = 6755399441055744;

/** Rounds to the nearest whole number, ties to even, for |value| < 2^51. `roundEven(2.5)` is 2. */
export const roundEven = (value: number): number => value + shift - shift;
