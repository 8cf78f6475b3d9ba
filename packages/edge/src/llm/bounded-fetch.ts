import { MicroturnError } from '@microturn/protocol';

/** Of one answer, headers aside: a few hundred thousand tokens as they are streamed. */
const ANSWER_BYTES = 4 * 1024 * 1024;
/** How a line of an event stream begins. */
const FIELDS = ['data:', 'event:', 'id:', 'retry:', ':'];
const TYPE_CHARS = 100;

/**
 * A `fetch` that gives up on an answer which never ends: what reads it keeps whole lines in memory. And on one that is no stream
 * of events, as from an address that is not the API's: what reads it finds only that it has no end, which may pass.
 */
export function boundedFetch(inner: typeof fetch, maxBytes = ANSWER_BYTES): typeof fetch {
  return async (input, init) => {
    const response = await inner(input, init);
    if (!response.body) return response;
    const { status, statusText, headers, ok } = response;
    let bytes = 0;
    let opening = ok ? new Opening() : undefined;
    const bound = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        bytes += chunk.byteLength;
        const begins = opening?.add(chunk);
        if (begins !== 'unknown') opening = undefined;
        if (bytes > maxBytes) {
          controller.error(new MicroturnError('llm/malformed', `the answer is longer than ${maxBytes} bytes`));
        } else if (begins === 'otherwise') controller.error(noStream(response));
        else controller.enqueue(chunk);
      },
    });
    return new Response(response.body.pipeThrough(bound), { status, statusText, headers });
  };
}

/** The first characters of an answer, in whatever pieces they come. Servers call a stream all sorts of things, and say so in them. */
class Opening {
  readonly #decoder = new TextDecoder();
  #text = '';

  add(chunk: Uint8Array): 'stream' | 'otherwise' | 'unknown' {
    this.#text = (this.#text + this.#decoder.decode(chunk, { stream: true })).trimStart();
    if (FIELDS.some((field) => this.#text.startsWith(field))) return 'stream';
    return FIELDS.some((field) => field.startsWith(this.#text)) ? 'unknown' : 'otherwise';
  }
}

function noStream({ status, headers }: Response): MicroturnError {
  const type = headers.get('content-type')?.slice(0, TYPE_CHARS) ?? 'no content type';
  return new MicroturnError(
    'llm/refused',
    `HTTP ${status} with ${type}, and not the stream that was asked for: \`baseUrl\` may be the address of something else`,
  );
}
