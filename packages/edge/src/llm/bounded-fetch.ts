import { MicroturnError } from '@microturn/protocol';

/** Of one answer, headers aside: a few hundred thousand tokens as they are streamed. */
const ANSWER_BYTES = 4 * 1024 * 1024;

/** A `fetch` that gives up on an answer which never ends: what reads it keeps whole lines in memory. */
export function boundedFetch(inner: typeof fetch, maxBytes = ANSWER_BYTES): typeof fetch {
  return async (input, init) => {
    const response = await inner(input, init);
    if (!response.body) return response;
    let bytes = 0;
    const bound = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        bytes += chunk.byteLength;
        if (bytes > maxBytes) {
          controller.error(new MicroturnError('llm/malformed', `the answer is longer than ${maxBytes} bytes`));
        } else controller.enqueue(chunk);
      },
    });
    const { status, statusText, headers } = response;
    return new Response(response.body.pipeThrough(bound), { status, statusText, headers });
  };
}
