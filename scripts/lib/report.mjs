const HEARTBEAT_MS = 10_000;

/** @param {number} ms */
export function formatDuration(ms) {
  const seconds = ms / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  return `${Math.floor(seconds / 60)} min ${String(Math.floor(seconds % 60)).padStart(2, '0')} s`;
}

/**
 * Says what is being done, and that it is still being done: one line at the start, one each ten seconds, one at the end.
 * @param {object} [options]
 * @param {NodeJS.WritableStream} [options.stream]
 * @param {number} [options.quietMs] stay silent about work that is over sooner than this
 * @param {() => number} [options.now]
 */
export function createReport({ stream = process.stdout, quietMs = 0, now = Date.now } = {}) {
  const dim = (text) => (stream.isTTY ? `\u001b[2m${text}\u001b[22m` : text);
  const line = (text) => void stream.write(`${text}\n`);

  return {
    line,

    /**
     * @template T
     * @param {string} what "building mediasoup-worker"
     * @param {(progress: (detail?: string) => void) => Promise<T>} work may say how far it is; the ten-second lines show the last word
     * @returns {Promise<T>}
     */
    async during(what, work) {
      const startedAt = now();
      let detail = '';
      let announced = false;
      const announce = () => {
        if (!announced) line(`• ${what}`);
        announced = true;
      };
      if (quietMs === 0) announce();
      const quiet = quietMs > 0 ? setTimeout(announce, quietMs) : undefined;
      const heartbeat = setInterval(() => {
        line(dim(`  … ${formatDuration(now() - startedAt)}${detail ? `  ${detail}` : ''}`));
      }, HEARTBEAT_MS);
      try {
        const result = await work((text = detail) => (detail = text.slice(0, 120)));
        if (announced && now() - startedAt >= 1000) line(dim(`  done in ${formatDuration(now() - startedAt)}`));
        return result;
      } finally {
        clearTimeout(quiet);
        clearInterval(heartbeat);
      }
    },
  };
}

/** @typedef {ReturnType<typeof createReport>} Report */
