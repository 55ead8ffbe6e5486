/* Backward of the network's beginning against plain C: the cifar stem's convolution over blocks of channels, the imagenet
 * stem's with its ReLU and max-pool; one and three channels, odd and wide images, one thread and several. */
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "nn/ops/ops.h"
#include "nn/ops/stem.h"
#include "plain.h"
#include "support.h"

/* Of the imagenet stem, `src` is the pool's, and diff_dst what goes into the convolution's backward: that of the pool and of
 * the ReLU, by plain C. Its numbers are few multiples of 1/256, so that their sums are exact. */
typedef struct problem {
  isc_conv_shape shape;
  bool pooled;
  int32_t oh, ow; /* of the pool's dst */
  float *weights, *src, *diff_pool, *diff_dst, *diff_src;
  int64_t src_count, dst_count, pool_count;
} problem;

static float *numbers(int64_t count, uint32_t seed) {
  float *memory = malloc((size_t)count * sizeof *memory);
  support_fill(memory, (size_t)count, -1, 1, seed);
  for (int64_t i = 0; i < count; i++)
    memory[i] = rintf(memory[i] * 256) / 256;
  return memory;
}

static void pool(problem *p) {
  const isc_conv_shape *s = &p->shape;
  double *diff = malloc((size_t)p->dst_count * sizeof *diff);
  for (int64_t i = 0; i < p->dst_count; i++)
    p->src[i] = p->src[i] > 0 ? p->src[i] : 0;
  plain_pool_backward(diff, p->src, p->diff_pool, (int64_t)s->n * s->oc, s->oh, s->ow, p->oh, p->ow);
  for (int64_t i = 0; i < p->dst_count; i++)
    p->diff_dst[i] = p->src[i] > 0 ? (float)diff[i] : 0;
  free(diff);
}

static problem make_problem(bool imagenet, int32_t n, int32_t ic, int32_t h, int32_t w, int32_t oc) {
  int32_t stride = imagenet ? 2 : 1, k = imagenet ? 7 : 3;
  isc_conv_shape s = {n, ic, h, w, oc, (h - 1) / stride + 1, (w - 1) / stride + 1, k, stride, k / 2};
  problem p = {.shape = s, .pooled = imagenet, .oh = (s.oh - 1) / 2 + 1, .ow = (s.ow - 1) / 2 + 1,
               .src_count = (int64_t)n * ic * h * w, .dst_count = (int64_t)n * oc * s.oh * s.ow};
  p.pool_count = (int64_t)n * oc * p.oh * p.ow;
  p.weights = numbers((int64_t)oc * ic * k * k, 21);
  p.diff_dst = numbers(p.dst_count, 22);
  p.src = numbers(p.dst_count, 23);
  p.diff_pool = numbers(p.pool_count, 24);
  p.diff_src = numbers(p.src_count, 25);
  if (imagenet)
    pool(&p);
  return p;
}

static void release_problem(problem *p) {
  free(p->weights);
  free(p->src);
  free(p->diff_pool);
  free(p->diff_dst);
  free(p->diff_src);
}

static float *aligned(int64_t count) { return aligned_alloc(64, ((size_t)count * sizeof(float) + 63) / 64 * 64); }

static float *blocked(const float *src, const isc_conv_shape *s, int32_t h, int32_t w, int32_t block) {
  float *made = aligned(isc_activation_count(s->n, s->oc, h, w, block));
  plain_block(made, src, s->n, s->oc, (int64_t)h * w, block);
  return made;
}

static void run_pooled(problem *p, int32_t block) {
  const isc_conv_shape *s = &p->shape;
  int64_t planes = s->n * isc_blocks(s->oc, block), count = isc_activation_count(s->n, s->oc, p->oh, p->ow, block);
  float *packed = aligned(isc_stem_pool_count(s)), *dst = aligned(count);
  float *src = blocked(p->src, s, s->oh, s->ow, block), *diff = blocked(p->diff_pool, s, p->oh, p->ow, block);
  uint8_t *which = malloc((size_t)count);
  isc_pool_forward(dst, which, src, planes, s->oh, s->ow, p->oh, p->ow, block);
  isc_stem_pool_pack(packed, p->weights, s);
  isc_stem_pool_backward(p->diff_src, packed, which, diff, &(isc_stem_pool){s, p->oh, p->ow, block});
  free(packed);
  free(dst);
  free(src);
  free(diff);
  free(which);
}

static void run_conv(problem *p, int32_t block) {
  const isc_conv_shape *s = &p->shape;
  float *packed = aligned(isc_stem_count(s, block)), *diff = blocked(p->diff_dst, s, s->oh, s->ow, block);
  isc_stem_pack(packed, p->weights, s, block);
  isc_stem_backward_data(p->diff_src, packed, diff, s, block);
  free(diff);
  free(packed);
}

static void run(problem *p, int32_t block, int32_t threads) {
  memset(p->diff_src, 0xff, (size_t)p->src_count * sizeof *p->diff_src);
  omp_set_num_threads(threads);
  (p->pooled ? run_pooled : run_conv)(p, block);
}

static void check(const problem *p, int32_t block, int32_t threads) {
  const isc_conv_shape *s = &p->shape;
  int64_t plane = (int64_t)s->ih * s->iw;
  for (int64_t i = 0; i < p->src_count; i++) {
    plain_sum sum = plain_conv_backward_data(s, p->diff_dst, p->weights, (int32_t)(i / plane / s->ic),
                                             (int32_t)(i / plane % s->ic), (int32_t)(i % plane / s->iw),
                                             (int32_t)(i % s->iw));
    double allowed = plain_tolerance((double)s->oc * s->k * s->k, sum.magnitude);
    if (!(fabs(p->diff_src[i] - sum.value) <= allowed))
      ck_abort_msg(
          "%dx%dx%dx%d, %d channels, kernel %d, block %d, %d threads: number %lld is %.9g, expected %.9g within %.2g",
          s->n, s->ic, s->ih, s->iw, s->oc, s->k, block, threads, (long long)i, (double)p->diff_src[i], sum.value,
          allowed);
  }
}

/* The sums run in one order whatever the threads, so that their bytes are the same. */
static void check_all(bool imagenet, int32_t n, int32_t ic, int32_t h, int32_t w, int32_t oc) {
  static const int32_t blocks[] = {8, 16, 1}, threads[] = {1, 2, 5};
  problem p = make_problem(imagenet, n, ic, h, w, oc);
  size_t bytes = (size_t)p.src_count * sizeof(float);
  float *first = malloc(bytes);
  for (int b = 0; b < (imagenet ? 3 : 2); b++)
    for (int t = 0; t < 3; t++) {
      run(&p, blocks[b], threads[t]);
      check(&p, blocks[b], threads[t]);
      if (t == 0)
        memcpy(first, p.diff_src, bytes);
      ck_assert_msg(!memcmp(first, p.diff_src, bytes), "block %d, %d threads: other bytes", blocks[b], threads[t]);
    }
  free(first);
  release_problem(&p);
}

START_TEST(imagenet_stem) {
  check_all(true, 2, 3, 33, 29, 10);
  check_all(true, 1, 1, 7, 9, 17);
  check_all(true, 1, 3, 8, 8, 8);
  check_all(true, 3, 1, 13, 32, 5);
  check_all(true, 1, 3, 64, 64, 16);
  check_all(true, 2, 3, 117, 20, 70); /* several bands of rows, several groups of channels */
}
END_TEST

START_TEST(cifar_stem) {
  check_all(false, 2, 3, 13, 9, 10);
  check_all(false, 1, 1, 33, 7, 17);
  check_all(false, 1, 3, 8, 8, 8);
  check_all(false, 3, 1, 9, 32, 5);
  check_all(false, 1, 3, 32, 32, 16);
}
END_TEST

/* A strip takes up to 12 places: rows of a strip exactly, of one place more or less, and of several strips; the imagenet stem
 * takes 224 at a time. */
START_TEST(wide_images) {
  static const int32_t widths[] = {8, 9, 14, 15, 16, 17, 24, 26, 27, 28, 29, 200};
  for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
    check_all(true, 1, 3, 9, widths[i], 3);
    check_all(false, 1, 3, 5, widths[i], 3);
  }
  check_all(true, 1, 1, 11, 500, 4);
  check_all(false, 1, 1, 10, 300, 4);
}
END_TEST

/* The smallest images there are, and kernels larger than them. */
START_TEST(tiny_images) {
  for (int32_t h = 1; h <= 4; h++)
    for (int32_t w = 1; w <= 4; w++) {
      check_all(true, 1, 3, h, w, 2);
      check_all(false, 1, 1, h, w, 2);
    }
}
END_TEST

int main(void) {
  plain_limit_cpu();
  Suite *suite = suite_create("stem");
  TCase *stem = tcase_create("stem");
  tcase_add_test(stem, imagenet_stem);
  tcase_add_test(stem, cifar_stem);
  tcase_add_test(stem, wide_images);
  tcase_add_test(stem, tiny_images);
  suite_add_tcase(suite, stem);
  return support_run(suite);
}
