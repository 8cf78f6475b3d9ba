// Runs as the agent's receive transform: decodes a copy of every packet by itself, so that what was sent is known with its
// RTP time, whatever the browser's jitter buffer makes of it (it stretches and shortens sound to keep its delay).

/** What a transform's worker is given, which TypeScript's libraries for pages leave out. */
interface TransformEvent extends Event {
  readonly transformer: {
    readonly readable: ReadableStream<EncodedFrame>;
    readonly writable: WritableStream<EncodedFrame>;
  };
}
interface EncodedFrame {
  readonly data: ArrayBuffer;
  getMetadata(): { readonly rtpTimestamp?: number };
}

const RATE_HZ = 48_000;

addEventListener('rtctransform', (event) => {
  const { readable, writable } = (event as TransformEvent).transformer;
  const times: number[] = [];
  const decoder = new AudioDecoder({
    output: (sound) => {
      const pcm = new Float32Array(sound.numberOfFrames);
      sound.copyTo(pcm, { planeIndex: 0, format: 'f32-planar' });
      sound.close();
      const rtpTimestamp = times.shift();
      if (rtpTimestamp !== undefined)
        postMessage({ rtpTimestamp, pcm: Int16Array.from(pcm, (x) => Math.round(x * 32_767)) });
    },
    error: (error) => console.error('a packet could not be decoded', error),
  });
  decoder.configure({ codec: 'opus', sampleRate: RATE_HZ, numberOfChannels: 1 });
  const tap = new TransformStream<EncodedFrame, EncodedFrame>({
    transform(frame, controller) {
      const { rtpTimestamp } = frame.getMetadata();
      if (rtpTimestamp !== undefined && decoder.state === 'configured') {
        times.push(rtpTimestamp);
        decoder.decode(
          new EncodedAudioChunk({
            type: 'key',
            timestamp: Math.round((rtpTimestamp * 1e6) / RATE_HZ),
            data: frame.data.slice(0),
          }),
        );
      }
      controller.enqueue(frame);
    },
  });
  readable
    .pipeThrough(tap)
    .pipeTo(writable)
    .catch(() => decoder.close());
});
