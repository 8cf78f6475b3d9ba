/** A tensor's memory, owned by a lane. */
export type TensorData = Float32Array | Int32Array;
export interface TensorBuffer {
  readonly data: TensorData;
  /** With the batch size in front. */
  readonly dims: readonly number[];
}
export type TensorBuffers = Readonly<Record<string, TensorBuffer>>;
