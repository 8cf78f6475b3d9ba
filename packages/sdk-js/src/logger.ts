/** Where the SDK says what it does; `console` fits. What is said in the call is never logged. */
export interface Logger {
  debug(message: string, fields?: object): void;
  info(message: string, fields?: object): void;
  warn(message: string, fields?: object): void;
  error(message: string, fields?: object): void;
}

const quiet = () => undefined;
export const noLogger: Logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };
