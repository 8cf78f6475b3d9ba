/* One call to SVOX Pico that returns samples. It tells no times: `align.c` finds them. */
#include <picoapi.h>
#include <stdlib.h>
#include <string.h>

enum { MEMORY = 2500000, VOICES = 2 };
static const char *ANALYSIS[VOICES] = {"en-US_ta.bin", "en-GB_ta.bin"};
static const char *SIGNAL[VOICES] = {"en-US_lh0_sg.bin", "en-GB_kh0_sg.bin"};
static const char *NAMES[VOICES] = {"en-US", "en-GB"};

static pico_System systems[VOICES]; /* each has its own memory: one of them holds one engine */
static pico_Engine engines[VOICES];

static int add(pico_System pico, const char *folder, const char *file, const char *voice) {
  char path[512];
  pico_Resource resource;
  pico_Retstring name;
  strcpy(path, folder);
  strcat(path, file);
  return pico_loadResource(pico, (const pico_Char *)path, &resource) == PICO_OK &&
         pico_getResourceName(pico, resource, name) == PICO_OK &&
         pico_addResourceToVoiceDefinition(pico, (const pico_Char *)voice, (const pico_Char *)name) == PICO_OK;
}

/* Opens all voices of `folder` (with a slash at its end); returns how many. */
int bridge_open(const char *folder) {
  int opened = 0;
  for (int i = 0; i < VOICES; i++) {
    if (pico_initialize(malloc(MEMORY), MEMORY, &systems[i]) != PICO_OK) break;
    if (pico_createVoiceDefinition(systems[i], (const pico_Char *)NAMES[i]) != PICO_OK) break;
    if (!add(systems[i], folder, ANALYSIS[i], NAMES[i]) || !add(systems[i], folder, SIGNAL[i], NAMES[i])) break;
    if (pico_newEngine(systems[i], (const pico_Char *)NAMES[i], &engines[i]) != PICO_OK) break;
    opened++;
  }
  return opened;
}

/* `text` with its markup, in 16 kHz. Returns the number of samples, or -1. */
int bridge_speak(const char *text, int voice, short *out, int out_limit) {
  int left = (int)strlen(text) + 1, count = 0; /* the zero at its end says that the text is whole */
  pico_Engine engine = engines[voice];
  while (left > 0) {
    pico_Int16 taken, bytes, kind;
    pico_Status status;
    if (pico_putTextUtf8(engine, (const pico_Char *)text, (pico_Int16)left, &taken) != PICO_OK) return -1;
    text += taken, left -= taken;
    do {
      short part[64];
      status = pico_getData(engine, part, sizeof part, &bytes, &kind);
      if (status != PICO_STEP_BUSY && status != PICO_STEP_IDLE) return -1;
      int got = bytes / 2 < out_limit - count ? bytes / 2 : out_limit - count;
      memcpy(out + count, part, sizeof(short) * (size_t)got);
      count += got;
    } while (status == PICO_STEP_BUSY);
  }
  return count;
}
