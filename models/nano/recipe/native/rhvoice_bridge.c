/* One call to RHVoice that returns samples. It tells words to a tenth of a second only: `align.c` finds them. */
#include <RHVoice.h>
#include <string.h>

typedef struct {
  short *samples;
  int count, limit, rate;
} recording;

static RHVoice_tts_engine engine;

static int on_rate(int rate, void *data) { return ((recording *)data)->rate = rate; }

static int on_speech(const short *samples, unsigned int count, void *data) {
  recording *made = data;
  int room = made->limit - made->count;
  int taken = (int)count < room ? (int)count : room;
  memcpy(made->samples + made->count, samples, sizeof(short) * (size_t)taken);
  made->count += taken;
  return 1;
}

/* Returns the number of voices, or 0. */
int bridge_open(void) {
  RHVoice_init_params init = {0};
  init.callbacks.set_sample_rate = on_rate;
  init.callbacks.play_speech = on_speech;
  engine = RHVoice_new_tts_engine(&init);
  return engine == NULL ? 0 : (int)RHVoice_get_number_of_voices(engine);
}

/* `tempo` and `pitch` are factors on the voice's own. Returns the number of samples, or -1 where the voice is not known. */
int bridge_speak(const char *text, const char *voice, double tempo, double pitch, short *out,
                 int out_limit, int *rate) {
  recording made = {out, 0, out_limit, 0};
  RHVoice_synth_params params = {0};
  params.voice_profile = voice;
  params.relative_rate = tempo;
  params.relative_pitch = pitch;
  params.relative_volume = 1;
  params.flags = RHVoice_synth_flag_dont_clip_rate;
  RHVoice_message message =
      RHVoice_new_message(engine, text, (unsigned)strlen(text), RHVoice_message_text, &params, &made);
  if (message == NULL) return -1;
  RHVoice_speak(message);
  RHVoice_delete_message(message);
  *rate = made.rate;
  return made.count;
}
