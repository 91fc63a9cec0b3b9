/**
 * The messages of onnx.proto (IR version 13): each field's number, kind, and whether it repeats. Reading, writing
 * and the TypeScript types all come from this table. Fields that are left out are skipped when read:
 * quantization_annotation, device configurations, denotations, and documentation of values, tensors and attributes.
 */
export const schema = {
  Model: {
    ir_version: [1, 'int'],
    producer_name: [2, 'text'],
    producer_version: [3, 'text'],
    domain: [4, 'text'],
    model_version: [5, 'int'],
    doc_string: [6, 'text'],
    graph: [7, 'Graph'],
    opset_import: [8, 'OperatorSet', 'many'],
    metadata_props: [14, 'Entry', 'many'],
    training_info: [20, 'bytes', 'many'],
    functions: [25, 'Function', 'many'],
  },
  OperatorSet: { domain: [1, 'text'], version: [2, 'int'] },
  Entry: { key: [1, 'text'], value: [2, 'text'] },
  Graph: {
    node: [1, 'Node', 'many'],
    name: [2, 'text'],
    initializer: [5, 'Tensor', 'many'],
    doc_string: [10, 'text'],
    input: [11, 'ValueInfo', 'many'],
    output: [12, 'ValueInfo', 'many'],
    value_info: [13, 'ValueInfo', 'many'],
    sparse_initializer: [15, 'SparseTensor', 'many'],
    metadata_props: [16, 'Entry', 'many'],
  },
  Function: {
    name: [1, 'text'],
    input: [4, 'text', 'many'],
    output: [5, 'text', 'many'],
    attribute: [6, 'text', 'many'],
    node: [7, 'Node', 'many'],
    doc_string: [8, 'text'],
    opset_import: [9, 'OperatorSet', 'many'],
    domain: [10, 'text'],
    attribute_proto: [11, 'Attribute', 'many'],
    value_info: [12, 'ValueInfo', 'many'],
    overload: [13, 'text'],
    metadata_props: [14, 'Entry', 'many'],
  },
  Node: {
    input: [1, 'text', 'many'],
    output: [2, 'text', 'many'],
    name: [3, 'text'],
    op_type: [4, 'text'],
    attribute: [5, 'Attribute', 'many'],
    doc_string: [6, 'text'],
    domain: [7, 'text'],
    overload: [8, 'text'],
    metadata_props: [9, 'Entry', 'many'],
  },
  Attribute: {
    name: [1, 'text'],
    f: [2, 'float'],
    i: [3, 'int'],
    s: [4, 'bytes'],
    t: [5, 'Tensor'],
    g: [6, 'Graph'],
    floats: [7, 'float', 'many'],
    ints: [8, 'int', 'many'],
    strings: [9, 'text', 'many'],
    tensors: [10, 'Tensor', 'many'],
    graphs: [11, 'Graph', 'many'],
    tp: [14, 'Type'],
    type_protos: [15, 'Type', 'many'],
    type: [20, 'int'],
    ref_attr_name: [21, 'text'],
    sparse_tensor: [22, 'SparseTensor'],
    sparse_tensors: [23, 'SparseTensor', 'many'],
  },
  Tensor: {
    dims: [1, 'int', 'many'],
    data_type: [2, 'int'],
    segment: [3, 'bytes'],
    float_data: [4, 'float32s'],
    int32_data: [5, 'int32s'],
    string_data: [6, 'text', 'many'],
    int64_data: [7, 'int64s'],
    name: [8, 'text'],
    raw_data: [9, 'bytes'],
    double_data: [10, 'float64s'],
    uint64_data: [11, 'uint64s'],
    external_data: [13, 'Entry', 'many'],
    data_location: [14, 'int'],
  },
  SparseTensor: { values: [1, 'Tensor'], indices: [2, 'Tensor'], dims: [3, 'int', 'many'] },
  ValueInfo: { name: [1, 'text'], type: [2, 'Type'] },
  Type: {
    tensor_type: [1, 'TensorType'],
    sequence_type: [4, 'ElementType'],
    map_type: [5, 'MapType'],
    opaque_type: [7, 'bytes'],
    sparse_tensor_type: [8, 'TensorType'],
    optional_type: [9, 'ElementType'],
  },
  TensorType: { elem_type: [1, 'int'], shape: [2, 'Shape'] },
  ElementType: { elem_type: [1, 'Type'] },
  MapType: { key_type: [1, 'int'], value_type: [2, 'Type'] },
  Shape: { dim: [1, 'Dimension', 'many'] },
  Dimension: { dim_value: [1, 'int'], dim_param: [2, 'text'] },
} as const;

/** The name of a message. */
export type MessageName = keyof typeof schema;

/** The content of each kind of field. The kinds that end in `s` are whole typed arrays, for tensor data. */
export interface ScalarTypes {
  int: number;
  float: number;
  text: string;
  bytes: Uint8Array;
  float32s: Float32Array;
  float64s: Float64Array;
  int32s: Int32Array;
  int64s: BigInt64Array;
  uint64s: BigUint64Array;
}

/** The name of a kind of field that is not a message. */
export type ScalarKind = keyof ScalarTypes;

type Cell = readonly [number, string] | readonly [number, string, 'many'];
type Fields<M extends MessageName> = (typeof schema)[M];
type ManyOf<M extends MessageName> = {
  [F in keyof Fields<M>]: Fields<M>[F] extends readonly [number, string, 'many'] ? F : never;
}[keyof Fields<M>];
type Read<C> = C extends readonly [number, infer K, ...unknown[]]
  ? K extends ScalarKind
    ? ScalarTypes[K]
    : K extends MessageName
      ? Proto<K>
      : never
  : never;
type Write<C> = C extends readonly [number, infer K, ...unknown[]]
  ? K extends ScalarKind
    ? ScalarTypes[K]
    : K extends MessageName
      ? Draft<K>
      : never
  : never;

/** A message as read: `at` is the byte its content begins at; repeated fields are always there. */
export type Proto<M extends MessageName> = { readonly at: number } & {
  readonly [F in Exclude<keyof Fields<M>, ManyOf<M>>]?: Read<Fields<M>[F]>;
} & { readonly [F in ManyOf<M>]: readonly Read<Fields<M>[F]>[] };

/** A message to be written: fields that are absent or undefined are left out. */
export type Draft<M extends MessageName> = {
  readonly [F in keyof Fields<M>]?:
    | (F extends ManyOf<M> ? readonly Write<Fields<M>[F]>[] : Write<Fields<M>[F]>)
    | undefined;
};

/** One field, ready for use. */
export interface Field {
  readonly name: string;
  readonly number: number;
  /** Set for plain fields. */
  readonly scalar?: ScalarKind;
  /** Set for fields that hold messages. */
  readonly message?: MessageName;
  readonly many: boolean;
}

/** The fields of a message by rising number. */
export const fieldsOf = (message: MessageName): readonly Field[] =>
  (Object.entries(schema[message]) as readonly (readonly [string, Cell])[])
    .map(([name, [number, kind, many]]) => ({
      name,
      number,
      ...(kind in schema ? { message: kind as MessageName } : { scalar: kind as ScalarKind }), // the table holds no third sort
      many: many !== undefined,
    }))
    .sort((a, b) => a.number - b.number);

/** A value for each message. */
export const perMessage = <T>(make: (message: MessageName) => T): Readonly<Record<MessageName, T>> =>
  Object.fromEntries((Object.keys(schema) as MessageName[]).map((message) => [message, make(message)])) as Record<
    MessageName,
    T
  >; // every key of the schema was mapped
