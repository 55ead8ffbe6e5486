/* Convolutions: oneDNN = OpenBLAS = OpenBLAS in oneDNN's layout = plain C in double.
 *
 * Each problem runs forward (plain, with ReLU, with sum, with both) and backward_data on every backend. The results of
 * the backends are compared everywhere; plain C computes all places of a small problem and some hundreds of a large
 * one. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "nn/backend.h"
#include "base/simd.h"
#include "nn/conv/conv.h"
#include "nn/conv/direct/kernel.h"
#include "plain.h"
#include "support.h"

/* ---- Problems ---- */

typedef struct problem {
  isc_conv_shape shape;
  bool sum, relu;
  float *src, *weights, *bias, *before, *diff_dst; /* before: what dst holds when sum adds to it */
} problem;

static int64_t src_count(const isc_conv_shape *s) { return (int64_t)s->n * s->ic * s->ih * s->iw; }
static int64_t dst_count(const isc_conv_shape *s) { return (int64_t)s->n * s->oc * s->oh * s->ow; }
static int64_t terms_of(const isc_conv_shape *s) { return (int64_t)s->ic * s->k * s->k; }

static float *filled(int64_t count, float bound, uint32_t seed) {
  float *values = malloc((size_t)count * sizeof *values);
  support_fill(values, (size_t)count, -bound, bound, seed);
  return values;
}

static problem make_problem(const isc_conv_shape *s) {
  return (problem){.shape = *s,
                   .src = filled(src_count(s), 1, 1),
                   .weights = filled(s->oc * terms_of(s), 1 / sqrtf((float)terms_of(s)), 2),
                   .bias = filled(s->oc, 0.5f, 3),
                   .before = filled(dst_count(s), 1, 4),
                   .diff_dst = filled(dst_count(s), 1, 5)};
}

static void release_problem(problem *p) {
  free(p->src);
  free(p->weights);
  free(p->bias);
  free(p->before);
  free(p->diff_dst);
}

/* ---- One backend ---- */

enum { GUARD = 64 };

/* Scratch that is full of NaN, so that nobody counts on its content, and has a guard behind it. */
static unsigned char *make_scratch(size_t bytes) {
  unsigned char *scratch = aligned_alloc(64, (bytes + GUARD + 63) / 64 * 64);
  memset(scratch, 0xff, bytes + GUARD);
  return scratch;
}

static void release_scratch(unsigned char *scratch, size_t bytes) {
  for (size_t i = bytes; i < bytes + GUARD; i++)
    if (scratch[i] != 0xff)
      ck_abort_msg("byte %zu behind the scratch was written", i - bytes);
  free(scratch);
}

typedef struct way {
  const isc_conv_implementation *by;
  int32_t block;
} way;

/* Activations in a way's layout; NaN where nothing is given. */
static float *to_layout(const float *values, int32_t n, int32_t c, int64_t hw, int32_t block) {
  int64_t count = isc_activation_count(n, c, (int32_t)hw, 1, block);
  float *blocked = aligned_alloc(64, ((size_t)count * sizeof *blocked + 63) / 64 * 64);
  memset(blocked, 0xff, (size_t)count * sizeof *blocked);
  if (values)
    plain_block(blocked, values, n, c, hw, block);
  return blocked;
}

static void run_forward(isc_conv *conv, const way *v, const problem *p, int32_t src_block, float *dst) {
  const isc_conv_shape *s = &p->shape;
  int64_t ihw = (int64_t)s->ih * s->iw, ohw = (int64_t)s->oh * s->ow;
  float *src_ = to_layout(p->src, s->n, s->ic, ihw, src_block);
  float *dst_ = to_layout(p->sum ? p->before : NULL, s->n, s->oc, ohw, v->block);
  size_t bytes = v->by->scratch(conv);
  unsigned char *scratch = make_scratch(bytes);
  ASSERT_OK(v->by->forward(conv, src_, dst_, scratch));
  release_scratch(scratch, bytes);
  ck_assert_msg(plain_unblock(dst, dst_, s->n, s->oc, ohw, v->block), "%s: dst's padding is not zero",
                v->by->name);
  free(src_);
  free(dst_);
}

static void run_backward(isc_conv *conv, const way *v, const problem *p, int32_t src_block, float *diff_src) {
  const isc_conv_shape *s = &p->shape;
  int64_t ihw = (int64_t)s->ih * s->iw, ohw = (int64_t)s->oh * s->ow;
  float *diff_src_ = to_layout(NULL, s->n, s->ic, ihw, src_block);
  float *diff_dst_ = to_layout(p->diff_dst, s->n, s->oc, ohw, v->block);
  size_t bytes = v->by->scratch(conv);
  unsigned char *scratch = make_scratch(bytes);
  ASSERT_OK(v->by->backward_data(conv, diff_dst_, diff_src_, scratch));
  release_scratch(scratch, bytes);
  ck_assert_msg(plain_unblock(diff_src, diff_src_, s->n, s->ic, ihw, src_block), "%s: diff_src's padding is not zero",
                v->by->name);
  free(diff_src_);
  free(diff_dst_);
}

/* false where the backend refuses the shape, and then nothing was made. `diff_src` NULL leaves backward out. */
static bool run(const iscp_context *context, const way *v, const problem *p, float *dst, float *diff_src) {
  int32_t src_block = p->shape.ic <= 3 ? 1 : v->block; /* the network's input is N C H W */
  isc_conv_desc desc = {.name = "layer", .shape = p->shape, .weights = p->weights, .bias = p->bias, .relu = p->relu,
                        .sum = p->sum, .gradient = diff_src != NULL, .src_block = src_block, .dst_block = v->block};
  isc_conv *conv = (isc_conv *)&desc;
  iscp_status status = v->by->create(&conv, context, &desc);
  if (status == ISCP_ERROR_UNSUPPORTED) {
    ck_assert_ptr_null(conv);
    return false;
  }
  ASSERT_OK(status);
  ck_assert_uint_ge(v->by->bytes(conv), (size_t)(p->shape.oc * terms_of(&p->shape)) * sizeof(float));
  ck_assert_str_ne(v->by->text(conv, diff_src != NULL), "");
  run_forward(conv, v, p, src_block, dst);
  if (diff_src)
    run_backward(conv, v, p, src_block, diff_src);
  v->by->destroy(conv);
  return true;
}

/* ---- Against plain C ---- */

enum { BUDGET = 1500000 }; /* products that plain C computes for one result */

/* Places of a result that plain C looks at: all of them, or every so many, with an odd stride so that it meets all
 * columns. */
static int64_t stride_of(int64_t count, int64_t terms) {
  return count * terms <= BUDGET ? 1 : (count * terms / BUDGET) | 1;
}

/* The largest magnitude seen: what the backends may differ by is relative to it. */
static double check_forward(const problem *p, const float *dst, const char *name) {
  const isc_conv_shape *s = &p->shape;
  int64_t count = dst_count(s), plane = (int64_t)s->oh * s->ow, stride = stride_of(count, terms_of(s));
  double largest = 0;
  for (int64_t i = stride / 2 % count; i < count; i += stride) {
    plain_sum sum =
        plain_conv_forward(s, p->src, p->weights, p->bias, (int32_t)(i / plane / s->oc), (int32_t)(i / plane % s->oc),
                           (int32_t)(i % plane / s->ow), (int32_t)(i % s->ow));
    sum.value += p->sum ? p->before[i] : 0;
    sum.magnitude += p->sum ? fabs(p->before[i]) : 0;
    double expected = p->relu && sum.value < 0 ? 0 : sum.value;
    double allowed = plain_tolerance((double)terms_of(s) + 2, sum.magnitude);
    if (!(fabs(dst[i] - expected) <= allowed))
      ck_abort_msg("%s: dst[%lld] is %.9g, expected %.9g within %.2g", name, (long long)i, (double)dst[i], expected,
                   allowed);
    largest = fmax(largest, sum.magnitude);
  }
  return largest;
}

static double check_backward(const problem *p, const float *diff_src, const char *name) {
  const isc_conv_shape *s = &p->shape;
  int64_t count = src_count(s), plane = (int64_t)s->ih * s->iw, terms = (int64_t)s->oc * s->k * s->k;
  int64_t stride = stride_of(count, terms);
  double largest = 0;
  for (int64_t i = stride / 2 % count; i < count; i += stride) {
    plain_sum sum = plain_conv_backward_data(s, p->diff_dst, p->weights, (int32_t)(i / plane / s->ic),
                                             (int32_t)(i / plane % s->ic), (int32_t)(i % plane / s->iw),
                                             (int32_t)(i % s->iw));
    double allowed = plain_tolerance((double)terms, sum.magnitude);
    if (!(fabs(diff_src[i] - sum.value) <= allowed))
      ck_abort_msg("%s: diff_src[%lld] is %.9g, expected %.9g within %.2g", name, (long long)i, (double)diff_src[i],
                   sum.value, allowed);
    largest = fmax(largest, sum.magnitude);
  }
  return largest;
}

/* ---- All ways of one problem ---- */

static void tell_problem(char text[160], const problem *p, const char *backend) {
  const isc_conv_shape *s = &p->shape;
  snprintf(text, 160, "%s, %dx%dx%dx%d to %d, kernel %d/%d%s%s", backend, s->n, s->ic, s->ih, s->iw, s->oc, s->k,
           s->stride, p->sum ? ", sum" : "", p->relu ? ", relu" : "");
}

/* Two float32 results are each within the tolerance of the exact one. */
static void check_same(const float *a, const float *b, int64_t count, double terms, double magnitude,
                       const char *text) {
  double difference = support_max_difference(a, b, (size_t)count), allowed = 2 * plain_tolerance(terms, magnitude);
  ck_assert_msg(difference <= allowed, "%s: %.3g from OpenBLAS, expected at most %.3g", text, difference, allowed);
}

/* Runs `p` by OpenBLAS and by each of `ways`; answers how many of these refused it. */
static int check_problem(const iscp_context *context, const problem *p, const way *ways, int count, bool backward) {
  const isc_conv_shape *s = &p->shape;
  char text[160];
  int refused = 0;
  float *dst[2] = {filled(dst_count(s), 1, 6), filled(dst_count(s), 1, 7)};
  float *diff_src[2] = {filled(src_count(s), 1, 8), filled(src_count(s), 1, 9)};
  tell_problem(text, p, "blas");
  ck_assert(run(context, &(way){&isc_conv_blas, 1}, p, dst[0], backward ? diff_src[0] : NULL));
  double forward_magnitude = check_forward(p, dst[0], text);
  double backward_magnitude = backward ? check_backward(p, diff_src[0], text) : 0;
  for (int w = 0; w < count; w++) {
    tell_problem(text, p, ways[w].by->name);
    if (!run(context, &ways[w], p, dst[1], backward ? diff_src[1] : NULL)) {
      refused++;
      continue;
    }
    check_forward(p, dst[1], text);
    check_same(dst[1], dst[0], dst_count(s), (double)terms_of(s) + 2, forward_magnitude, text);
    if (!backward)
      continue;
    check_backward(p, diff_src[1], text);
    check_same(diff_src[1], diff_src[0], src_count(s), (double)s->oc * s->k * s->k, backward_magnitude, text);
  }
  for (int i = 0; i < 2; i++) {
    free(dst[i]);
    free(diff_src[i]);
  }
  return refused;
}

/* The convolutions written here refuse every shape on a CPU that they are not written for. */
static bool has_direct(void) { return isc_strip_kernel(ISC_STRIP_1X1, 1, 1) != NULL; }

/* oneDNN in its own layout, the fallback in both of oneDNN's, and the convolutions written here where this CPU has them. */
static int list_ways(way ways[4]) {
  int count = 0;
#if ISC_HAVE_ONEDNN
  ways[count++] = (way){&isc_conv_onednn, isc_backend_onednn.block()};
#endif
  ways[count++] = (way){&isc_conv_blas_blocked, 8};
  ways[count++] = (way){&isc_conv_blas_blocked, 16};
  if (has_direct())
    ways[count++] = (way){&isc_conv_direct, 16};
  return count;
}

/* ---- The published networks ---- */

static bool is_same_layer(const isc_layer *a, const isc_layer *b) {
  return !memcmp(&a->shape, &b->shape, sizeof a->shape) && a->relu == b->relu && a->sum == b->sum;
}

/* Every distinct convolution of ResNet-50: oneDNN must have good code for each, so nothing may be refused. */
static void check_resnet50(int32_t stem, int32_t side, int32_t batch) {
  iscp_context *context = support_context();
  isc_architecture a = {50, 64, stem, 1000, 3, 0, 0, 0};
  isc_graph *graph = malloc(sizeof *graph);
  isc_compute compute;
  way ways[4];
  list_ways(ways);
  ASSERT_OK(isc_graph_build(graph, &a, batch, side, side, 0));
  ASSERT_OK(isc_compute_enter(context, &compute));
  for (int32_t i = 0; i < graph->layer_count; i++) {
    bool seen = false;
    for (int32_t j = 0; j < i; j++)
      seen = seen || is_same_layer(&graph->layers[i], &graph->layers[j]);
    if (seen)
      continue;
    problem p = make_problem(&graph->layers[i].shape);
    p.relu = graph->layers[i].relu;
    p.sum = graph->layers[i].sum;
    int refused = check_problem(context, &p, ways, ISC_HAVE_ONEDNN, i > 0);
    ck_assert_msg(!refused, "oneDNN refuses layer %s", graph->layers[i].conv);
    if (i > 0 && has_direct())
      ck_assert_int_eq(check_problem(context, &p, &(way){&isc_conv_direct, 16}, 1, true), 0);
    release_problem(&p);
  }
  isc_compute_leave(&compute);
  free(graph);
  support_context_end(context);
}

START_TEST(resnet50_at_224) { check_resnet50(ISCP_STEM_IMAGENET, 224, 1); }
END_TEST

START_TEST(resnet50_at_32) {
  check_resnet50(ISCP_STEM_IMAGENET, 32, 4);
  check_resnet50(ISCP_STEM_CIFAR, 32, 1);
}
END_TEST

/* ---- Odd shapes ---- */

static isc_conv_shape shape_of(int32_t n, int32_t ic, int32_t ih, int32_t iw, int32_t oc, int32_t k, int32_t stride) {
  int32_t pad = k / 2;
  int32_t oh = (ih + 2 * pad - k) / stride + 1, ow = (iw + 2 * pad - k) / stride + 1;
  return (isc_conv_shape){n, ic, ih, iw, oc, oh, ow, k, stride, pad};
}

static void check_odd(const isc_conv_shape *shape, const iscp_context *context) {
  way ways[4];
  int count = list_ways(ways);
  problem p = make_problem(shape);
  for (int variant = 0; variant < 4; variant++) {
    p.sum = variant & 1;
    p.relu = variant & 2;
    int refused = check_problem(context, &p, ways, count, variant == 0);
    ck_assert_int_le(refused, has_direct() + ISC_HAVE_ONEDNN); /* only oneDNN and direct may */
  }
  release_problem(&p);
}

/* Channels that fill no block, sizes that fill no vector, kernels larger than the image. */
START_TEST(odd_shapes) {
  static const int32_t shapes[][7] = {
      {1, 1, 7, 9, 5, 3, 1},    {3, 3, 9, 7, 10, 7, 2},  {1, 5, 13, 7, 17, 3, 2}, {3, 10, 7, 33, 33, 1, 1},
      {1, 17, 33, 9, 10, 1, 2}, {3, 33, 9, 13, 5, 3, 2}, {1, 33, 7, 7, 1, 3, 1},  {3, 1, 33, 13, 17, 7, 2},
      {1, 10, 1, 1, 10, 3, 1},  {3, 17, 2, 3, 33, 3, 2}, {1, 3, 5, 3, 10, 7, 2},  {1, 5, 13, 33, 5, 1, 1},
      {3, 16, 9, 9, 33, 3, 1},  {1, 33, 13, 9, 32, 1, 2}};
  iscp_context *context = support_context();
  isc_compute compute;
  ASSERT_OK(isc_compute_enter(context, &compute));
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
    const int32_t *v = shapes[i];
    isc_conv_shape shape = shape_of(v[0], v[1], v[2], v[3], v[4], v[5], v[6]);
    check_odd(&shape, context);
  }
  isc_compute_leave(&compute);
  support_context_end(context);
}
END_TEST

/* OpenBLAS computes an image in tiles, or, where there are too few for the threads, shares the rows of each: images of
 * several tiles with a narrower last one, tiles that begin inside a row, batches that fill the threads and that do not. */
START_TEST(tiles) {
  static const int32_t shapes[][7] = {
      {1, 65, 50, 61, 9, 3, 1},  {3, 128, 25, 27, 20, 3, 1}, {1, 200, 23, 37, 7, 3, 2}, {1, 300, 41, 43, 12, 1, 1},
      {2, 300, 57, 49, 12, 1, 2}, {5, 40, 3, 5, 19, 3, 1},   {7, 20, 4, 4, 6, 3, 2},    {2, 4, 30, 30, 5, 7, 1},
      {1, 3, 90, 110, 40, 7, 2}, {9, 33, 1, 1, 2, 1, 1}};
  iscp_context_options options;
  ASSERT_OK(iscp_context_options_init(&options, sizeof options));
  for (options.threads = 1; options.threads <= 4; options.threads += options.threads == 2 ? 2 : 1) {
    iscp_context *context;
    isc_compute compute;
    ASSERT_OK(iscp_context_create(&context, &options));
    ASSERT_OK(isc_compute_enter(context, &compute));
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
      const int32_t *v = shapes[i];
      isc_conv_shape shape = shape_of(v[0], v[1], v[2], v[3], v[4], v[5], v[6]);
      check_odd(&shape, context);
    }
    isc_compute_leave(&compute);
    iscp_context_destroy(context);
  }
}
END_TEST

/* Equal images of a batch give equal bytes, though OpenBLAS rounds by a column's place in its call. */
START_TEST(places_in_a_batch_are_equal) {
  static const int32_t shapes[][7] = {
      {4, 16, 7, 7, 16, 3, 1}, {3, 64, 7, 7, 32, 1, 1}, {5, 33, 9, 11, 20, 3, 2}, {4, 70, 40, 40, 8, 3, 1}};
  iscp_context *context = support_context();
  isc_compute compute;
  ASSERT_OK(isc_compute_enter(context, &compute));
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
    const int32_t *v = shapes[i];
    isc_conv_shape shape = shape_of(v[0], v[1], v[2], v[3], v[4], v[5], v[6]);
    problem p = make_problem(&shape);
    int64_t src_image = src_count(&shape) / shape.n, dst_image = dst_count(&shape) / shape.n;
    float *dst = filled(dst_count(&shape), 1, 6), *diff_src = filled(src_count(&shape), 1, 7);
    for (int32_t n = 1; n < shape.n; n++) {
      memcpy(p.src + n * src_image, p.src, (size_t)src_image * sizeof(float));
      memcpy(p.diff_dst + n * dst_image, p.diff_dst, (size_t)dst_image * sizeof(float));
    }
    ck_assert(run(context, &(way){&isc_conv_blas, 1}, &p, dst, diff_src));
    for (int32_t n = 1; n < shape.n; n++) {
      ck_assert_mem_eq(dst + n * dst_image, dst, (size_t)dst_image * sizeof(float));
      ck_assert_mem_eq(diff_src + n * src_image, diff_src, (size_t)src_image * sizeof(float));
    }
    free(dst);
    free(diff_src);
    release_problem(&p);
  }
  isc_compute_leave(&compute);
  support_context_end(context);
}
END_TEST

/* Whatever the batch and the size of the images. */
START_TEST(scratch_is_bounded) {
  iscp_context *context = support_context();
  for (int32_t side = 7; side <= 448; side *= 2)
    for (int32_t k = 1; k <= 3; k += 2)
      for (int32_t stride = 1; stride <= 2; stride++) {
        isc_conv_shape shape = shape_of(side < 50 ? 64 : 2, 64, side, side, 64, k, stride);
        float *weights = filled(64 * 64 * 9, 1, 1);
        isc_conv_desc desc = {.name = "layer", .shape = shape, .weights = weights, .bias = weights, .gradient = true,
                              .src_block = 1, .dst_block = 1};
        isc_conv *conv;
        ASSERT_OK(isc_conv_blas.create(&conv, context, &desc));
        size_t numbers = (1 << 18) + 2 * 16; /* see product.c; two ends rounded up to a cache line */
        ck_assert_uint_le(isc_conv_blas.scratch(conv),
                          numbers * sizeof(float) * (size_t)iscp_context_threads(context));
        isc_conv_blas.destroy(conv);
        free(weights);
      }
  support_context_end(context);
}
END_TEST

START_TEST(each_allocation_may_fail) {
  iscp_context *context = support_context();
  isc_conv_shape shape = shape_of(1, 16, 7, 7, 16, 3, 1);
  problem p = make_problem(&shape);
  isc_conv_desc desc = {.name = "layer", .shape = shape, .weights = p.weights, .bias = p.bias, .gradient = true};
  way ways[5] = {{&isc_conv_blas, 1}};
  int count = 1 + list_ways(ways + 1);
  for (int w = 0; w < count; w++) {
    desc.src_block = desc.dst_block = ways[w].block;
    iscp_status status = ISCP_ERROR_MEMORY;
    for (long allowed = 0; status != ISCP_OK; allowed++) {
      isc_conv *conv = (isc_conv *)&desc;
      support_fail_after(allowed);
      status = ways[w].by->create(&conv, context, &desc);
      support_fail_after(-1);
      ck_assert(status == ISCP_OK || (status == ISCP_ERROR_MEMORY && !conv));
      ways[w].by->destroy(conv);
    }
  }
  release_problem(&p);
  support_context_end(context);
}
END_TEST

/* As kernel.h has it: AVX-512, whatever oneDNN is limited to. Elsewhere the next in line computes. */
START_TEST(direct_is_for_avx512) {
  iscp_context *context = support_context();
  isc_conv_shape shape = shape_of(1, 16, 7, 7, 16, 3, 1);
  isc_conv_desc desc = {.name = "layer", .shape = shape, .src_block = 16, .dst_block = 16};
  isc_conv *conv = (isc_conv *)&desc;
  iscp_status status = isc_conv_direct.create(&conv, context, &desc);
  ck_assert_int_eq(status, has_direct() ? ISCP_OK : ISCP_ERROR_UNSUPPORTED);
  ck_assert_int_eq(conv != NULL, has_direct());
#if defined(__x86_64__)
  ck_assert_int_eq(has_direct(), isc_cpu_has(ISC_CPU_AVX512F));
#endif
  isc_conv_direct.destroy(conv);
  support_context_end(context);
}
END_TEST

#if ISC_HAVE_ONEDNN
/* Blocks of 16 channels want registers of 16 numbers, which AVX-512 and AVX10 have. */
START_TEST(the_layout_follows_the_kernels) {
  const char *kernels = isc_onednn_kernels();
  bool is_wide = !strncmp(kernels, "avx512", 6) || !strncmp(kernels, "avx10", 5);
  ck_assert_int_eq(isc_backend_onednn.block(), is_wide ? 16 : 8);
  const char *limit = getenv("ONEDNN_MAX_CPU_ISA");
  if (limit && !strcmp(limit, "AVX2"))
    ck_assert_str_eq(kernels, "avx2");
}
END_TEST
#endif

int main(void) {
  Suite *suite = suite_create("conv");
  TCase *published = tcase_create("published"), *odd = tcase_create("odd");
  tcase_add_test(published, resnet50_at_224);
  tcase_add_test(published, resnet50_at_32);
#if ISC_HAVE_ONEDNN
  tcase_add_test(published, the_layout_follows_the_kernels);
#endif
  tcase_add_test(odd, odd_shapes);
  tcase_add_test(odd, tiles);
  tcase_add_test(odd, places_in_a_batch_are_equal);
  tcase_add_test(odd, scratch_is_bounded);
  tcase_add_test(odd, each_allocation_may_fail);
  tcase_add_test(odd, direct_is_for_avx512);
  suite_add_tcase(suite, published);
  suite_add_tcase(suite, odd);
  return support_run(suite);
}
