/* What changes the bytes of an image's logits and gradient, on the convolutions of ResNet-50: docs/numerics.md tells what is found
 * here. Each plan holds the same image as its first and its last row; the rows between differ. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "nn/backend.h"
#include "nn/nn.h"
#include "support.h"
#include "toy.h"

enum { CLASSES = 10, CHANNELS = 3, LARGEST = CHANNELS * 224 * 224 };

typedef struct bytes {
  float logits[CLASSES], gradient[LARGEST];
} bytes;

static isc_network *make_network(int32_t backend, int32_t threads, int32_t stem) {
  iscp_context_options options;
  iscp_context *context;
  isc_tensor_set tensors;
  isc_network *network;
  ASSERT_OK(iscp_context_options_init(&options, sizeof options));
  options.backend = backend;
  options.threads = threads;
  ASSERT_OK(iscp_context_create(&context, &options));
  toy_tensors(&tensors, context, &(toy){50, 64, stem, CHANNELS, CLASSES, 1});
  ASSERT_OK(isc_network_create(&network, context, &tensors));
  iscp_context_destroy(context);
  return network;
}

static void run(isc_plan *plan, int32_t side) {
  size_t numbers = (size_t)CHANNELS * (size_t)side * (size_t)side;
  int32_t last = isc_plan_batch(plan) - 1;
  for (int32_t row = 0; row <= last; row++)
    support_fill(isc_plan_src(plan) + (size_t)row * numbers, numbers, -2, 2, row && row < last ? 10 + (uint32_t)row : 1);
  ASSERT_OK(isc_plan_forward(plan));
  for (int32_t row = 0; row <= last; row++)
    isc_cross_entropy(isc_plan_diff_logits(plan) + row * CLASSES, isc_plan_logits(plan) + row * CLASSES, CLASSES, 3);
  ASSERT_OK(isc_plan_backward(plan));
}

static void take(bytes *out, const isc_plan *plan, int32_t row, int32_t side) {
  size_t numbers = (size_t)CHANNELS * (size_t)side * (size_t)side;
  memcpy(out->logits, isc_plan_logits(plan) + row * CLASSES, sizeof out->logits);
  memset(out->gradient, 0, sizeof out->gradient);
  memcpy(out->gradient, isc_plan_diff_src(plan) + (size_t)row * numbers, numbers * sizeof(float));
}

/* The image as the first and as the last of `batch`, which of 1 are one. */
static void compute(bytes *first, bytes *last, const isc_network *network, int32_t side, int32_t batch) {
  isc_compute enter;
  isc_plan *plan;
  ASSERT_OK(isc_compute_enter(isc_network_context(network), &enter));
  ASSERT_OK(isc_plan_create(&plan, network, &(isc_plan_form){batch, side, side, true, 0, false}));
  run(plan, side);
  take(first, plan, 0, side);
  take(last, plan, batch - 1, side);
  isc_plan_destroy(plan);
  isc_compute_leave(&enter);
}

#if ISC_HAVE_ONEDNN
/* The kernels that were seen. Others may add in other orders, and then docs/numerics.md wants a line. */
static bool is_known(const char *kernels) {
  return !strcmp(kernels, "avx2") || !strcmp(kernels, "avx512_core") || !strcmp(kernels, "avx512_core_bf16");
}

/* Neither threads nor batch nor row: oneDNN divides a convolution among threads by dst's places and channels, and adds up
 * each number in one order. */
static void check_onednn(int32_t stem, int32_t side, const int32_t *batches, int count) {
  static bytes reference, first, last;
  for (int32_t threads = 1; threads <= 3; threads++) {
    isc_network *network = make_network(ISCP_BACKEND_ONEDNN, threads, stem);
    if (threads == 1)
      compute(&reference, &last, network, side, batches[0]);
    for (int i = 0; i < count; i++) {
      compute(&first, &last, network, side, batches[i]);
      bool same = !memcmp(&first, &reference, sizeof first) && !memcmp(&last, &reference, sizeof last);
      if (!same && !is_known(isc_onednn_kernels()))
        printf("oneDNN %s, %s: %d threads and batch %d at %d give other bytes\n", isc_onednn_version(),
               isc_onednn_kernels(), threads, batches[i], side);
      else
        ck_assert_msg(same, "%d threads and batch %d at %d give other bytes", threads, batches[i], side);
    }
    isc_network_drop(network);
  }
}

START_TEST(onednn_at_32) {
  static const int32_t batches[] = {1, 4, 20};
  check_onednn(ISCP_STEM_IMAGENET, 32, batches, 3);
  check_onednn(ISCP_STEM_CIFAR, 32, batches, 2);
}
END_TEST

START_TEST(onednn_at_224) {
  static const int32_t batches[] = {1, 3};
  check_onednn(ISCP_STEM_IMAGENET, 224, batches, 2);
}
END_TEST
#endif

/* OpenBLAS has other kernels for the edges of a matrix than for its middle, so that threads and batch do count: the same
 * bytes are asked for only where all is the same. */
START_TEST(openblas_repeats) {
  static bytes once[2], again[2];
  for (int32_t threads = 1; threads <= 3; threads++) {
    isc_network *network = make_network(ISCP_BACKEND_BLAS, threads, ISCP_STEM_IMAGENET);
    for (int32_t batch = 1; batch <= 8; batch += 7) {
      compute(&once[0], &once[1], network, 32, batch);
      compute(&again[0], &again[1], network, 32, batch);
      ck_assert_mem_eq(once, again, sizeof once);
    }
    isc_network_drop(network);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("bytes");
  TCase *all = tcase_create("bytes");
#if ISC_HAVE_ONEDNN
  tcase_add_test(all, onednn_at_32);
  tcase_add_test(all, onednn_at_224);
#endif
  tcase_add_test(all, openblas_repeats);
  suite_add_tcase(suite, all);
  return support_run(suite);
}
