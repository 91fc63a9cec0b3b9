/** A plugin named in data: an id, or an id with options. */
export type Reference = string | { readonly use: string; readonly with?: Readonly<Record<string, unknown>> };
