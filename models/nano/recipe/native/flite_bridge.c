/* One call to flite that returns samples together with the times of words and segments. */
#include <flite/flite.h>
#include <flite/cst_cg.h>
#include <string.h>

cst_voice *register_cmu_us_kal(const char *);
cst_voice *register_cmu_us_kal16(const char *);
cst_voice *register_cmu_us_awb(const char *);
cst_voice *register_cmu_us_rms(const char *);
cst_voice *register_cmu_us_slt(const char *);

enum { VOICES = 5 };
static cst_voice *voices[VOICES]; /* kal, kal16, awb, rms, slt */

void bridge_open(void) {
  flite_init();
  voices[0] = register_cmu_us_kal(NULL);
  voices[1] = register_cmu_us_kal16(NULL);
  voices[2] = register_cmu_us_awb(NULL);
  voices[3] = register_cmu_us_rms(NULL);
  voices[4] = register_cmu_us_slt(NULL);
}

/* Appends one line to a list of names, or returns 0 when the buffer is full. */
static int append(char *names, size_t limit, const char *name) {
  size_t used = strlen(names), more = strlen(name);
  if (used + more + 2 > limit) return 0;
  memcpy(names + used, name, more);
  names[used + more] = '\n';
  names[used + more + 1] = 0;
  return 1;
}

/*
 * `stretch` lengthens every segment; `pitch` multiplies the voice's own pitch and leaves its formants alone;
 * `spread` multiplies the movement of the pitch (diphone voices only). Returns the number of samples.
 */
int bridge_speak(const char *text, int voice_index, float stretch, float pitch, float spread, short *out, int out_limit,
                 int *rate, char *words, size_t words_limit, double *word_starts, double *word_ends, int *word_total,
                 char *phones, size_t phones_limit, double *phone_ends, int *phone_total, int times_limit) {
  cst_voice *voice = voices[voice_index];
  int diphone = voice_index < 2;
  feat_set_float(voice->features, "duration_stretch", stretch);
  if (diphone) {
    feat_set_float(voice->features, "int_f0_target_mean", 105.0f * pitch);
    feat_set_float(voice->features, "int_f0_target_stddev", 14.0f * pitch * spread);
  } else {
    feat_set_float(voice->features, "f0_shift", pitch);
  }

  cst_utterance *utterance = flite_synth_text(text, voice);
  cst_wave *wave = utt_wave(utterance);
  int count = wave->num_samples < out_limit ? wave->num_samples : out_limit;
  *rate = wave->sample_rate;
  memcpy(out, wave->samples, sizeof(short) * (size_t)count);

  int total = 0;
  words[0] = 0;
  for (cst_item *word = relation_head(utt_relation(utterance, "Word")); word && total < times_limit; word = item_next(word)) {
    if (!append(words, words_limit, item_feat_string(word, "name"))) break;
    word_starts[total] = ffeature_float(word, "R:SylStructure.daughter1.daughter1.R:Segment.p.end");
    word_ends[total++] = ffeature_float(word, "R:SylStructure.daughtern.daughtern.R:Segment.end");
  }
  *word_total = total;

  total = 0;
  phones[0] = 0;
  for (cst_item *segment = relation_head(utt_relation(utterance, "Segment")); segment && total < times_limit; segment = item_next(segment)) {
    if (!append(phones, phones_limit, item_feat_string(segment, "name"))) break;
    phone_ends[total++] = item_feat_float(segment, "end");
  }
  *phone_total = total;
  delete_utterance(utterance);
  return count;
}
