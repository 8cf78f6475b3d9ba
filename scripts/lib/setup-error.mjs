/** Something that the set-up needs is missing. `fix` is what the reader can do about it, if there is something. */
export class SetupError extends Error {
  name = 'SetupError';

  /**
   * @param {string} message what went wrong
   * @param {string} [fix] one or more lines, best a command to copy
   * @param {ErrorOptions} [options]
   */
  constructor(message, fix, options) {
    super(message, options);
    this.fix = fix;
  }
}
