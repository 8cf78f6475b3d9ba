import { MicroturnError } from '@microturn/protocol';

/** As much of a Standard Schema as is needed here. */
interface Schema<T> {
  readonly '~standard': { validate(value: unknown): Result<T> | Promise<Result<T>> };
}
type Result<T> =
  { readonly value: T; readonly issues?: undefined } | { readonly issues: readonly { message: string }[] };

/** Parses the result of a reply; throws `protocol/malformed`. No schema of the protocol gives a promise. */
export function checked<T>(schema: Schema<T>, value: unknown): T {
  const result = schema['~standard'].validate(value) as Result<T>;
  if (result.issues) throw new MicroturnError('protocol/malformed', result.issues[0]?.message);
  return result.value;
}
