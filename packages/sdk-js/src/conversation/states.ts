import { StateSource } from '../state.js';
import type { Conversation } from './reduce.js';

/** The parts of a conversation that an app can watch, each as a state of its own. */
export class ConversationStates {
  readonly agent;
  readonly floor;
  readonly transcript;
  readonly responses;
  readonly interruptions;
  readonly tasks;
  readonly surfaces;
  readonly stats;

  constructor(initial: Conversation) {
    this.agent = new StateSource(initial.agent);
    this.floor = new StateSource(initial.floor);
    this.transcript = new StateSource(initial.transcript);
    this.responses = new StateSource(initial.responses);
    this.interruptions = new StateSource(initial.interruptions);
    this.tasks = new StateSource(initial.tasks);
    this.surfaces = new StateSource(initial.surfaces);
    this.stats = new StateSource(initial.stats);
  }

  show(conversation: Conversation): void {
    this.agent.set(conversation.agent);
    this.floor.set(conversation.floor);
    this.transcript.set(conversation.transcript);
    this.responses.set(conversation.responses);
    this.interruptions.set(conversation.interruptions);
    this.tasks.set(conversation.tasks);
    this.surfaces.set(conversation.surfaces);
    this.stats.set(conversation.stats);
  }

  close(): void {
    const { agent, floor, transcript, responses, interruptions, tasks, surfaces, stats } = this;
    for (const state of [agent, floor, transcript, responses, interruptions, tasks, surfaces, stats]) state.close();
  }
}
