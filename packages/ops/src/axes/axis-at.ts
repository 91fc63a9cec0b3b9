/** An axis number as ONNX writes it, from 0. */
export const axisAt = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);
