import { MicroturnError } from '@microturn/protocol';

/** A text in which a voice finds no word that it can say, such as one in another script. Others it may say well. */
export class NothingToSay extends MicroturnError {
  constructor(why?: string) {
    super('voice/failed', `nothing in it can be said${why ? `: ${why}` : ''}`);
  }
}
