/**
 * A terminal has the greeting, and the log is JSON for machines: here it tells what is wrong and no more, unless a level or
 * a configuration of one's own is given.
 * @param {NodeJS.ProcessEnv} env
 * @param {string[]} args of `microturn start`
 * @returns {NodeJS.ProcessEnv}
 */
export function withQuietLog(env, args) {
  const hasFile = env.MICROTURN_CONFIG || args.some((arg) => /^(?:-c|--config(?:=|$))/.test(arg));
  if (env.MICROTURN_LOG_LEVEL || hasFile) return env;
  return { ...env, MICROTURN_LOG_LEVEL: 'warn' };
}
