/* Dynamic time warping of one reading of a text onto another. */
#include <math.h>
#include <stdlib.h>

enum { DIAGONAL, REFERENCE_STAYS, OTHER_STAYS };

static float distance_of(const float *one, const float *two, int width) {
  float sum = 0;
  for (int k = 0; k < width; k++) sum += (one[k] - two[k]) * (one[k] - two[k]);
  return sqrtf(sum);
}

/*
 * `reference` [n, width] and `other` [m, width] are features of two readings. `place` [n] receives, for each frame of the
 * reference, the frame of `other` that it is heard in: it never falls, and begins and ends where `other` does.
 * `stay` is what it costs, beside the distance, where one of the two stands still. Returns the mean distance along the
 * path, or -1 without memory.
 */
float align(const float *reference, int n, const float *other, int m, int width, float stay, int *place) {
  float *cost = malloc(sizeof(float) * (size_t)m * 2);
  unsigned char *step = malloc((size_t)n * (size_t)m);
  if (cost == NULL || step == NULL) return free(cost), free(step), -1;
  for (int i = 0; i < n; i++) {
    float *row = cost + (i % 2) * m, *above = cost + ((i + 1) % 2) * m;
    for (int j = 0; j < m; j++) {
      float distance = distance_of(reference + i * width, other + j * width, width);
      float best = i || j ? INFINITY : 0;
      int chosen = DIAGONAL;
      if (i && j) best = above[j - 1];
      if (j && row[j - 1] + stay < best) best = row[j - 1] + stay, chosen = REFERENCE_STAYS;
      if (i && above[j] + stay < best) best = above[j] + stay, chosen = OTHER_STAYS;
      row[j] = best + distance;
      step[(size_t)i * m + j] = (unsigned char)chosen;
    }
  }
  float total = 0;
  int length = 0;
  for (int i = n - 1, j = m - 1; i >= 0 && j >= 0; length++) {
    total += distance_of(reference + i * width, other + j * width, width);
    place[i] = j;
    int chosen = step[(size_t)i * m + j];
    if (chosen != OTHER_STAYS) j--;
    if (chosen != REFERENCE_STAYS) i--;
  }
  free(cost), free(step);
  return total / (float)length;
}
