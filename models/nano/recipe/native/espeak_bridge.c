/* One call to espeak-ng that returns samples together with the word and phoneme events. */
#include <espeak-ng/speak_lib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* One event: kind (espeak_EVENT_TYPE), seconds from the start, character position (from 1), phoneme name in 8 bytes. */
typedef struct {
  double kind, seconds, character;
  char phoneme[8];
} bridge_event;

static short *samples;
static int sample_count, sample_limit;
static bridge_event *events;
static int event_count, event_limit;

static int on_audio(short *wav, int count, espeak_EVENT *event) {
  if (wav != NULL && count > 0) {
    if (sample_count + count > sample_limit) count = sample_limit - sample_count;
    memcpy(samples + sample_count, wav, sizeof(short) * (size_t)count);
    sample_count += count;
  }
  for (; event->type != espeakEVENT_LIST_TERMINATED && event_count < event_limit; event++) {
    bridge_event *out = &events[event_count++];
    memset(out, 0, sizeof *out);
    out->kind = event->type;
    out->seconds = event->audio_position / 1000.0;
    out->character = event->text_position;
    if (event->type == espeakEVENT_PHONEME) strncpy(out->phoneme, event->id.string, 8);
  }
  return 0;
}

/* Returns the sample rate, or a negative number. */
int bridge_open(void) {
  int rate = espeak_Initialize(AUDIO_OUTPUT_SYNCHRONOUS, 500, NULL, espeakINITIALIZE_PHONEME_EVENTS);
  espeak_SetSynthCallback(on_audio);
  return rate;
}

/* Whether there is a variant after the `+` of a name, if it has one: espeak speaks without what it does not know. */
static int has_variant(const char *name) {
  const char *plus = strchr(name, '+'), *data;
  char path[4096];
  if (plus == NULL) return 1;
  espeak_Info(&data);
  int length = snprintf(path, sizeof path, "%s/voices/!v/%s", data, plus + 1);
  return plus[1] != '\0' && length < (int)sizeof path && access(path, R_OK) == 0;
}

/* Returns 0 where the voice exists. espeak keeps the last voice when it does not, so callers must look. */
int bridge_voice(const char *name) { return has_variant(name) && espeak_SetVoiceByName(name) == EE_OK ? 0 : -1; }

/* Returns the number of samples written; `event_total` receives the number of events. */
int bridge_speak(const char *text, int rate, int pitch, int range, short *out, int out_limit,
                 bridge_event *out_events, int out_event_limit, int *event_total) {
  samples = out, sample_count = 0, sample_limit = out_limit;
  events = out_events, event_count = 0, event_limit = out_event_limit;
  espeak_SetParameter(espeakRATE, rate, 0);
  espeak_SetParameter(espeakPITCH, pitch, 0);
  espeak_SetParameter(espeakRANGE, range, 0);
  espeak_Synth(text, strlen(text) + 1, 0, POS_CHARACTER, 0, espeakCHARS_UTF8, NULL, NULL);
  espeak_Synchronize();
  *event_total = event_count;
  return sample_count;
}
