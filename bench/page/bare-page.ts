// What `page-load` is held against: a page that opens a WebSocket to the edge, and nothing else.
import type { LoadMarks } from './load-page.js';

const marks: LoadMarks = { scriptMs: performance.now() };
Object.assign(window, { marks });

const socket = new WebSocket(`${window.call.url.replace('http', 'ws')}/v1/connect`);
socket.addEventListener('open', () => (marks.startedMs = marks.connectedMs = performance.now()));
socket.addEventListener('error', () => (marks.failure = 'the edge did not take the socket'));
