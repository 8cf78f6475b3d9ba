/*
 * Makes word-ends.jsonl: when each word of sentences.txt ends, as libflite itself knows it (its command line does not say).
 * On Debian 12, with flite1-dev (Flite 2.2), in this folder:
 *
 *   gcc -o /tmp/word-ends word-ends.c -I/usr/include/flite \
 *     -lflite_cmu_us_slt -lflite_usenglish -lflite_cmulex -lflite -lm
 *   /tmp/word-ends < sentences.txt > word-ends.jsonl
 *
 * One sentence a line: `ends` is what `flite -voice slt -psdur` prints, `words` is [text, start ms, end ms] by the tree from tokens to phones.
 */
#include <flite.h>
#include <stdio.h>
#include <string.h>

cst_voice *register_cmu_us_slt(const char *voxdir);

static int ms(cst_item *segment) { return (int)(item_feat_float(segment, "end") * 1000 + 0.5); }

static const char *text_of(cst_item *token, const char *feature) {
  return item_feat_present(token, feature) ? item_feat_string(token, feature) : "";
}

/* First start and last end of the phones of a token; leaves `start` below 0 where there are none. */
static void span(cst_item *token, int *start, int *end) {
  for (cst_item *word = item_daughter(token); word; word = item_next(word)) {
    cst_item *in_tree = item_as(word, "SylStructure");
    for (cst_item *syl = in_tree ? item_daughter(in_tree) : 0; syl; syl = item_next(syl)) {
      for (cst_item *leaf = item_daughter(syl); leaf; leaf = item_next(leaf)) {
        cst_item *segment = item_as(leaf, "Segment");
        cst_item *before = item_prev(segment);
        if (*start < 0) *start = before ? ms(before) : 0;
        *end = ms(segment);
      }
    }
  }
}

int main(void) {
  char line[4096];
  flite_init();
  cst_voice *voice = register_cmu_us_slt(0);
  while (fgets(line, sizeof line, stdin)) {
    line[strcspn(line, "\n")] = 0;
    cst_utterance *utt = flite_synth_text(line, voice);
    printf("{\"text\":\"%s\",\"ends\":\"", line);
    for (cst_item *s = relation_head(utt_relation(utt, "Segment")); s; s = item_next(s))
      printf("%s:%1.3f ", item_feat_string(s, "name"), item_feat_float(s, "end"));
    printf("\",\"words\":[");
    /* Tokens that no white space parts are one word, as a reader sees it. */
    cst_item *token = relation_head(utt_relation(utt, "Token"));
    for (int words = 0; token; words++) {
      int start = -1, end = -1;
      printf("%s[\"", words ? "," : "");
      do {
        printf("%s%s%s", text_of(token, "prepunctuation"), item_name(token), text_of(token, "punc"));
        span(token, &start, &end);
        token = item_next(token);
      } while (token && *text_of(token, "whitespace") == 0);
      printf("\",%d,%d]", start, end);
    }
    printf("]}\n");
    delete_utterance(utt);
  }
  return 0;
}
