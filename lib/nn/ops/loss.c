/* Softmax cross-entropy of one row of logits, in double: -log p_y = log sum_k exp(z_k - max) - (z_y - max). */
#include <math.h>

#include "nn/nn.h"

double isc_cross_entropy(float *diff_logits, const float *logits, int32_t classes, int32_t target) {
  double largest = logits[isc_argmax(logits, classes)], sum = 0;
  for (int32_t k = 0; k < classes; k++)
    sum += exp(logits[k] - largest);
  for (int32_t k = 0; diff_logits && k < classes; k++)
    diff_logits[k] = (float)(exp(logits[k] - largest) / sum - (k == target));
  return log(sum) - (logits[target] - largest);
}

int32_t isc_argmax(const float *logits, int32_t classes) {
  int32_t best = 0;
  for (int32_t k = 1; k < classes; k++)
    if (logits[k] > logits[best])
      best = k;
  return best;
}
