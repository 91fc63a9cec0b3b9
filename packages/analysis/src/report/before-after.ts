/** A number before and after; null where it is not known. */
export interface BeforeAfter<T = number> {
  readonly before: T;
  readonly after: T;
}
