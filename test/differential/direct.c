/* The convolutions written here: what they finish on the way to memory (bits, joins, ReLU's backward) is to the byte what the
 * passes of relu.c make of the plain results, whatever the threads; the plain results are compared in conv.c. */
#include <stdlib.h>
#include <string.h>

#include "nn/conv/conv.h"
#include "nn/conv/direct/kernel.h"
#include "nn/ops/ops.h"
#include "plain.h"
#include "support.h"

enum { BLOCK = 16 };

static float *floats(int64_t count) {
  float *memory = aligned_alloc(64, (size_t)(count + 15) / 16 * 64);
  memset(memory, 0, (size_t)(count + 15) / 16 * 64);
  return memory;
}

/* src (or diff_src) and dst (or diff_dst) with numbers in them, zeros in the channels that pad the last block. */
static float *activations(const isc_conv_shape *s, bool dst, uint32_t seed) {
  int32_t c = dst ? s->oc : s->ic, h = dst ? s->oh : s->ih, w = dst ? s->ow : s->iw;
  int64_t hw = (int64_t)h * w, count = (int64_t)s->n * c * hw;
  float *plain = floats(count), *blocked = floats(isc_activation_count(s->n, c, h, w, BLOCK));
  support_fill(plain, (size_t)count, -1, 1, seed);
  plain_block(blocked, plain, s->n, c, hw, BLOCK);
  free(plain);
  return blocked;
}

static isc_conv *make_conv(const iscp_context *context, const isc_conv_shape *s, bool sum, bool relu) {
  int64_t weights = (int64_t)s->oc * s->ic * s->k * s->k;
  isc_conv_desc desc = {.name = "test", .shape = *s, .relu = relu, .sum = sum, .gradient = true, .src_block = BLOCK,
                        .dst_block = BLOCK};
  float *numbers = floats(weights + s->oc);
  support_fill(numbers, (size_t)(weights + s->oc), -1, 1, 5);
  desc.weights = numbers;
  desc.bias = numbers + weights;
  isc_conv *conv;
  ASSERT_OK(isc_conv_direct.create(&conv, context, &desc));
  free(numbers);
  return conv;
}

static void check_forward(isc_conv *conv, const isc_conv_shape *s) {
  int64_t count = isc_activation_count(s->n, s->oc, s->oh, s->ow, BLOCK);
  float *src = activations(s, false, 1), *a = activations(s, true, 2), *b = activations(s, true, 2);
  uint16_t *bits = calloc(1, isc_bits_bytes(count)), *expected = calloc(1, isc_bits_bytes(count));
  ASSERT_OK(isc_conv_direct.forward(conv, src, a, NULL));
  isc_relu_bits(expected, a, count);
  ASSERT_OK(isc_conv_direct.forward_bits(conv, src, b, bits, NULL));
  ck_assert_mem_eq(a, b, (size_t)count * sizeof *a);
  ck_assert_mem_eq(bits, expected, isc_bits_bytes(count));
  free(src);
  free(a);
  free(b);
  free(bits);
  free(expected);
}

static void check_backward(isc_conv *conv, const isc_conv_shape *s, bool add, bool mask) {
  int64_t count = isc_activation_count(s->n, s->ic, s->ih, s->iw, BLOCK);
  float *diff = activations(s, true, 3), *a = floats(count), *b = activations(s, false, 4), *c = activations(s, false, 4);
  uint16_t *bits = malloc(isc_bits_bytes(count));
  for (int64_t i = 0; i < count / BLOCK; i++)
    bits[i] = (uint16_t)(i * 40503u >> 3);
  if (mask && s->stride > 1) { /* as conv.h asks of what is joined */
    isc_relu_backward(b, bits, count);
    isc_relu_backward(c, bits, count);
  }
  ASSERT_OK(isc_conv_direct.backward_data(conv, diff, a, NULL));
  if (add) {
    isc_join_backward(b, a, mask ? bits : NULL, count);
  } else {
    memcpy(b, a, (size_t)count * sizeof *a);
    if (mask)
      isc_relu_backward(b, bits, count);
  }
  ASSERT_OK(isc_conv_direct.backward_data_join(conv, diff, c, add, mask ? bits : NULL, NULL));
  ck_assert_mem_eq(b, c, (size_t)count * sizeof *b);
  free(diff);
  free(a);
  free(b);
  free(c);
  free(bits);
}

static void check_shape(const isc_conv_shape *s, int32_t threads) {
  iscp_context_options options;
  iscp_context *context;
  ASSERT_OK(iscp_context_options_init(&options, sizeof options));
  options.threads = threads;
  ASSERT_OK(iscp_context_create(&context, &options));
  for (int kind = 0; kind < 4; kind++) {
    isc_conv *conv = make_conv(context, s, kind & 1, kind & 2);
    check_forward(conv, s);
    check_backward(conv, s, kind & 1, kind & 2);
    isc_conv_direct.destroy(conv);
  }
  iscp_context_destroy(context);
}

static isc_conv_shape shape_of(int32_t n, int32_t ic, int32_t h, int32_t w, int32_t oc, int32_t k, int32_t stride) {
  return (isc_conv_shape){n, ic, h, w, oc, (h - 1) / stride + 1, (w - 1) / stride + 1, k, stride, k / 2};
}

/* Every length of strips, rows of one strip and of several, groups that are not full, channels that fill no block. */
START_TEST(strips_and_groups) {
  for (int32_t w = 1; w <= 31; w++)
    for (int32_t kind = 0; kind < 4; kind++) {
      int32_t k = kind & 1 ? 3 : 1, stride = kind & 2 ? 2 : 1;
      isc_conv_shape narrow = shape_of(2, 16, 3, w, 80, k, stride), odd = shape_of(1, 33, 2, w, 17, k, stride);
      check_shape(&narrow, 1 + w % 3);
      check_shape(&odd, 1 + w % 3);
    }
}
END_TEST

/* More numbers than a chunk: several chunks, the last one shorter, and more threads than there is work for. */
START_TEST(chunks_and_threads) {
  static const int32_t threads[] = {1, 2, 5};
  for (int t = 0; t < 3; t++) {
    const isc_conv_shape shapes[] = {
        shape_of(3, 64, 40, 40, 32, 1, 1), shape_of(1, 96, 7, 7, 112, 3, 1), shape_of(1, 16, 1, 1, 16, 3, 1),
        shape_of(3, 64, 40, 40, 80, 1, 2), shape_of(2, 96, 14, 15, 112, 3, 2), shape_of(1, 16, 1, 1, 16, 3, 2),
    };
    for (int i = 0; i < 6; i++)
      check_shape(&shapes[i], threads[t]);
  }
}
END_TEST

START_TEST(other_convolutions_are_refused) {
  iscp_context *context = support_context();
  static const int32_t kinds[][4] = {{7, 2, 1, 16}, {3, 3, 16, 16}, {5, 1, 16, 16}, {3, 1, 8, 8}, {3, 1, 1, 1}};
  for (int i = 0; i < 5; i++) {
    int32_t k = kinds[i][0], stride = kinds[i][1];
    isc_conv_shape s = {1, 16, 8, 8, 16, (8 + 2 * (k / 2) - k) / stride + 1, (8 + 2 * (k / 2) - k) / stride + 1, k, stride, k / 2};
    isc_conv_desc desc = {.name = "other", .shape = s, .src_block = kinds[i][2], .dst_block = kinds[i][3]};
    isc_conv *conv = (isc_conv *)&s;
    support_failed(isc_conv_direct.create(&conv, context, &desc), ISCP_ERROR_UNSUPPORTED, "\"other\" is none of");
    ck_assert_ptr_null(conv);
  }
  support_context_end(context);
}
END_TEST

int main(void) {
  if (!isc_strip_kernel(ISC_STRIP_1X1, 1, 1))
    return support_skip("the convolutions written here need AVX-512");
  Suite *suite = suite_create("direct");
  TCase *direct = tcase_create("direct");
  tcase_add_test(direct, strips_and_groups);
  tcase_add_test(direct, chunks_and_threads);
  tcase_add_test(direct, other_convolutions_are_refused);
  suite_add_tcase(suite, direct);
  return support_run(suite);
}
