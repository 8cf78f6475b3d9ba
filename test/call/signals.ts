// Known sounds for the tests of this folder.

/** A tone of `amplitude`, `ms` long. */
export function tone(ms: number, amplitude: number, rateHz: number, hz = 440): Float32Array {
  return Float32Array.from(
    { length: Math.round((ms * rateHz) / 1000) },
    (_, i) => amplitude * Math.sin((2 * Math.PI * hz * i) / rateHz),
  );
}

export function silence(ms: number, rateHz: number): Float32Array {
  return new Float32Array(Math.round((ms * rateHz) / 1000));
}

export function joined(...parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
