export { createExample } from './example-session.js';
export { ExampleBanner } from './example-banner.js';
