import { monotonicClock } from '../clock.js';
import { askModelContract } from './ask-model.contract.js';
import { askHere } from './ask-model.js';

askModelContract('a model that is asked here', () =>
  askHere({
    clock: monotonicClock,
    after: (ms, fn) => {
      const timer = setTimeout(fn, ms);
      return () => clearTimeout(timer);
    },
  }),
);
