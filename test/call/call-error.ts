const ERRORS = {
  'call/usage': { exitCode: 2, summary: 'the arguments are not right', hint: 'see `npm run call -- --help`' },
  'call/bad-wav': {
    exitCode: 2,
    summary: 'the WAV file cannot be used',
    hint: 'give 8 to 32 bit PCM or 32 bit float, for example made with `espeak-ng -w hello.wav "hello"`',
  },
  'call/no-chromium': {
    exitCode: 3,
    summary: 'there is no Chromium to call with',
    hint: 'install Chromium or Chrome (`npm run call` and `npm test` do it where they may), or set MICROTURN_CHROMIUM to its path',
  },
  'call/browser': {
    exitCode: 3,
    summary: 'the browser did not do as it should',
    hint: 'try again; if it repeats, start the Chromium that MICROTURN_CHROMIUM names by hand and see what it says',
  },
  'call/no-token': {
    exitCode: 1,
    summary: 'the edge gives no tokens to whoever asks',
    hint: 'pass one with --token (`microturn token --room … --identity …` makes it), or start the edge with --dev',
  },
} as const;

export type CallErrorCode = keyof typeof ERRORS;

/** What stops the call tool before, or beside, the edge's own errors. */
export class CallError extends Error {
  override readonly name = 'CallError';
  readonly code: CallErrorCode;
  constructor(code: CallErrorCode, detail?: string, options?: ErrorOptions) {
    super(detail ? `${ERRORS[code].summary}: ${detail}` : ERRORS[code].summary, options);
    this.code = code;
  }
  get hint(): string {
    return ERRORS[this.code].hint;
  }
  get exitCode(): number {
    return ERRORS[this.code].exitCode;
  }
}
