// The page of `page-load`: joins at once, and notes when.
import { createSession } from '@microturn/sdk';

export interface LoadMarks {
  /** All ms since the navigation began. */
  scriptMs: number;
  startedMs?: number;
  connectedMs?: number;
  failure?: string;
}

declare global {
  interface Window {
    /** Written into the page by its server, as an app's would. */
    readonly call: { url: string; token: string };
    readonly marks: LoadMarks;
  }
}

const marks: LoadMarks = { scriptMs: performance.now() };
Object.assign(window, { marks });

const session = createSession(window.call);
session.on('session.started', () => (marks.startedMs = performance.now()));
session.connect().then(
  () => (marks.connectedMs = performance.now()),
  (error: unknown) => (marks.failure = String(error)),
);
