/* Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011): a random number is a function of its
 * name, so that no result depends on threads or on the order of work. */
#include <math.h>
#include <stdlib.h>

#include "base/base.h"

static void philox_round(uint32_t counter[4], const uint32_t key[2]) {
  uint64_t product0 = (uint64_t)0xD2511F53u * counter[0];
  uint64_t product1 = (uint64_t)0xCD9E8D57u * counter[2];
  uint32_t next[4] = {(uint32_t)(product1 >> 32) ^ counter[1] ^ key[0], (uint32_t)product1,
                      (uint32_t)(product0 >> 32) ^ counter[3] ^ key[1], (uint32_t)product0};
  for (int i = 0; i < 4; i++)
    counter[i] = next[i];
}

uint64_t isc_random(uint64_t seed, int32_t purpose, int32_t class_index, int32_t epoch, int64_t index) {
  uint32_t counter[4] = {(uint32_t)index, (uint32_t)((uint64_t)index >> 32) ^ ((uint32_t)purpose << 16),
                         (uint32_t)class_index, (uint32_t)epoch};
  uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
  for (int round = 0; round < 10; round++) {
    philox_round(counter, key);
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return (uint64_t)counter[1] << 32 | counter[0];
}

/* 32 bits each. */
void isc_random_uniform(double pair[2], uint64_t seed, int32_t purpose, int32_t class_index, int32_t epoch,
                        int64_t index) {
  uint64_t bits = isc_random(seed, purpose, class_index, epoch, index);
  pair[0] = (double)(bits >> 32) * 0x1p-32;
  pair[1] = (double)(uint32_t)bits * 0x1p-32;
}

/* Box and Muller: a direction and a radius. 1 - u is in (0, 1], so that the logarithm is finite. */
void isc_random_normal(double pair[2], uint64_t seed, int32_t purpose, int32_t class_index, int32_t epoch,
                       int64_t index) {
  double u[2];
  isc_random_uniform(u, seed, purpose, class_index, epoch, index);
  double radius = sqrt(-2 * log(1 - u[0])), angle = 2 * 3.14159265358979323846 * u[1];
  pair[0] = radius * cos(angle);
  pair[1] = radius * sin(angle);
}

typedef struct keyed {
  uint64_t key;
  int64_t index;
} keyed;

static int by_key(const void *a, const void *b) {
  const keyed *x = a, *y = b;
  if (x->key != y->key)
    return x->key < y->key ? -1 : 1;
  return (x->index > y->index) - (x->index < y->index);
}

iscp_status isc_random_shuffle(const iscp_context *context, int64_t *indices, int64_t count, uint64_t seed,
                               int32_t purpose, int32_t class_index, int32_t epoch) {
  keyed *items = isc_calloc(context, (size_t)count, sizeof *items);
  if (!items)
    return ISCP_ERROR_MEMORY;
  for (int64_t i = 0; i < count; i++)
    items[i] = (keyed){isc_random(seed, purpose, class_index, epoch, indices[i]), indices[i]};
  qsort(items, (size_t)count, sizeof *items, by_key);
  for (int64_t i = 0; i < count; i++)
    indices[i] = items[i].index;
  isc_free(context, items);
  return ISCP_OK;
}
