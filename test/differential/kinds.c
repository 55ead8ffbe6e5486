/* The other kinds of convolution, Winograd's and bf16's, against plain C in double; and whole networks of them against the direct
 * float32 one. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "nn/backend.h"
#include "nn/conv/conv.h"
#include "plain.h"
#include "support.h"
#include "toy.h"

static iscp_status make_context(iscp_context **context, int32_t convolutions, int32_t precision) {
  iscp_context_options options;
  ASSERT_OK(iscp_context_options_init(&options, sizeof options));
  options.convolutions = convolutions;
  options.precision = precision;
  return iscp_context_create(context, &options);
}

#if ISC_HAVE_ONEDNN

/* ---- One convolution ---- */

typedef struct numbers {
  float *weights, *bias, *src, *dst; /* as N C H W */
  float *src_, *dst_;                /* in blocks */
  void *scratch;
  int64_t src_count, dst_count, src_blocked, dst_blocked;
} numbers;

static float *blocks(int64_t count) {
  float *memory = aligned_alloc(64, ((size_t)count * sizeof(float) + 63) / 64 * 64);
  memset(memory, 0, (size_t)count * sizeof(float));
  return memory;
}

static numbers make_numbers(const isc_conv_shape *s, int32_t block) {
  numbers n = {.src_count = (int64_t)s->n * s->ic * s->ih * s->iw, .dst_count = (int64_t)s->n * s->oc * s->oh * s->ow};
  int64_t weights = (int64_t)s->oc * s->ic * s->k * s->k;
  n.src_blocked = isc_activation_count(s->n, s->ic, s->ih, s->iw, block);
  n.dst_blocked = isc_activation_count(s->n, s->oc, s->oh, s->ow, block);
  n.weights = blocks(weights);
  n.bias = blocks(s->oc);
  n.src = blocks(n.src_count);
  n.dst = blocks(n.dst_count);
  n.src_ = blocks(n.src_blocked);
  n.dst_ = blocks(n.dst_blocked);
  support_fill(n.weights, (size_t)weights, -1, 1, 1);
  support_fill(n.bias, (size_t)s->oc, -1, 1, 2);
  support_fill(n.src, (size_t)n.src_count, -1, 1, 3);
  support_fill(n.dst, (size_t)n.dst_count, -1, 1, 4);
  return n;
}

static void release_numbers(numbers *n) {
  free(n->weights);
  free(n->bias);
  free(n->src);
  free(n->dst);
  free(n->src_);
  free(n->dst_);
  free(n->scratch);
}

enum { SAMPLES = 300 };

static void check_places(const isc_conv_shape *s, const numbers *n, const float *result, bool backward, double rounding,
                         const char *what) {
  int64_t count = backward ? n->src_count : n->dst_count, every = count / SAMPLES | 1;
  int32_t c = backward ? s->ic : s->oc, h = backward ? s->ih : s->oh, w = backward ? s->iw : s->ow;
  for (int64_t i = every / 2 % count; i < count; i += every) {
    int32_t at[] = {(int32_t)(i / w / h / c), (int32_t)(i / w / h % c), (int32_t)(i / w % h), (int32_t)(i % w)};
    plain_sum sum = backward ? plain_conv_backward_data(s, n->dst, n->weights, at[0], at[1], at[2], at[3])
                             : plain_conv_forward(s, n->src, n->weights, n->bias, at[0], at[1], at[2], at[3]);
    double terms = (double)(backward ? s->oc : s->ic) * s->k * s->k + 1;
    double allowed = plain_tolerance(terms, sum.magnitude) + rounding * sum.magnitude / sqrt(terms);
    if (!(fabs(result[i] - sum.value) <= allowed))
      ck_abort_msg("%s: number %lld is %.9g, expected %.9g within %.2g", what, (long long)i, (double)result[i], sum.value,
                   allowed);
  }
}

/* Forward and backward_data of one shape; `word` must be in the names of what oneDNN chose, unless NULL. */
static bool check_conv(const iscp_context *context, const isc_conv_shape *s, double rounding, const char *word,
                       bool winograd) {
  const isc_conv_implementation *by = &isc_conv_onednn;
  int32_t block = isc_backend_onednn.block();
  numbers n = make_numbers(s, block);
  isc_conv_desc desc = {.name = "test", .shape = *s, .weights = n.weights, .bias = n.bias, .gradient = true,
                        .winograd = winograd, .src_block = block, .dst_block = block};
  isc_conv *conv;
  iscp_status status = by->create(&conv, context, &desc);
  if (winograd && status == ISCP_ERROR_UNSUPPORTED) { /* of this shape, CPU, or oneDNN, which has none from 3.0 on */
    release_numbers(&n);
    return false;
  }
  ASSERT_OK(status);
  for (int backward = 0; word && backward < 2; backward++)
    ck_assert_msg(strstr(by->text(conv, backward), word), "oneDNN runs %s, expected %s",
                  by->text(conv, backward), word);
  n.scratch = blocks((int64_t)(by->scratch(conv) / sizeof(float)) + 16);
  float *result = malloc((size_t)(n.src_count + n.dst_count) * sizeof *result);
  plain_block(n.src_, n.src, s->n, s->ic, (int64_t)s->ih * s->iw, block);
  ASSERT_OK(by->forward(conv, n.src_, n.dst_, n.scratch));
  ck_assert(plain_unblock(result, n.dst_, s->n, s->oc, (int64_t)s->oh * s->ow, block));
  check_places(s, &n, result, false, rounding, "forward");
  plain_block(n.dst_, n.dst, s->n, s->oc, (int64_t)s->oh * s->ow, block);
  ASSERT_OK(by->backward_data(conv, n.dst_, n.src_, n.scratch));
  ck_assert(plain_unblock(result, n.src_, s->n, s->ic, (int64_t)s->ih * s->iw, block));
  check_places(s, &n, result, true, rounding, "backward_data");
  by->destroy(conv);
  free(result);
  release_numbers(&n);
  return true;
}

static const isc_conv_shape shapes[] = {
    {1, 64, 56, 56, 64, 56, 56, 3, 1, 1},   {2, 128, 28, 28, 128, 28, 28, 3, 1, 1}, {2, 32, 15, 13, 48, 15, 13, 3, 1, 1},
    {1, 64, 14, 14, 64, 7, 7, 3, 2, 1},     {3, 48, 9, 11, 80, 9, 11, 1, 1, 0},     {1, 32, 8, 8, 64, 4, 4, 1, 2, 0},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

/* Winograd's F(4x4, 3x3) rounds about ten times as much as the direct sum (150 half ulps of the magnitude over the root of the
 * terms were seen, 20 of direct); plain_tolerance has room for that. */
START_TEST(winograd) {
  iscp_context *context;
  int done = 0;
  ASSERT_OK(make_context(&context, ISCP_CONVOLUTIONS_FAST, ISCP_PRECISION_F32));
  for (int i = 0; i < SHAPES; i++)
    done += check_conv(context, &shapes[i], 0, "wino", true);
  bool here = !strncmp(isc_onednn_version(), "2.", 2) && isc_backend_onednn.block() == 16;
  ck_assert_int_eq(done, here ? 3 : 0); /* the 3x3 shapes of stride 1 */
  iscp_context_destroy(context);
}
END_TEST

/* Each factor is rounded to 8 bits, by at most 2^-9, which makes 2^-8 = 0.004 of a product. Errors of random sign add up like a
 * random walk: a sum of n equal products is off by 0.004 / sqrt(n) of its magnitude or a few times that, more at borders,
 * where fewer products make the sum (0.022 was seen). One missing product of 600 would change 0.04 / sqrt(n). */
START_TEST(bf16) {
  iscp_context *context;
  iscp_status status = make_context(&context, ISCP_CONVOLUTIONS_DIRECT, ISCP_PRECISION_BF16);
  ASSERT_OK(status);
  if (isc_backend_onednn.check(context) != ISCP_OK) {
    support_failed(isc_backend_onednn.check(context), ISCP_ERROR_UNSUPPORTED, "bf16 needs AMX or AVX-512 BF16");
    iscp_context_destroy(context);
    return;
  }
  for (int i = 0; i < SHAPES; i++)
    check_conv(context, &shapes[i], 0.04, "bf16", false);
  iscp_context_destroy(context);
}
END_TEST

#endif

/* ---- Whole networks ---- */

enum { SIDE = 64, IMAGES = 4, CLASSES = 10, INPUT = 3 * SIDE * SIDE };

/* Logits of a random ResNet-18 of width 32. False if this machine has not what the context asks for. */
static bool run_network(float logits[IMAGES * CLASSES], float *gradient, int32_t convolutions, int32_t precision) {
  const toy t = {18, 32, ISCP_STEM_IMAGENET, 3, CLASSES, 7};
  iscp_context *context;
  iscp_status status = make_context(&context, convolutions, precision);
  if (status != ISCP_OK) { /* a build without oneDNN */
    ck_assert(precision && status == ISCP_ERROR_UNSUPPORTED);
    return false;
  }
  isc_tensor_set tensors;
  toy_tensors(&tensors, context, &t);
  iscp_contract contract = toy_contract(&t, SIDE, SIDE);
  iscp_model *model = toy_model(context, &tensors, &contract);
  isc_tensor_set_release(&tensors, context);
  iscp_session *session = NULL;
  status = iscp_session_create(&session, model, IMAGES, ISCP_SESSION_GRADIENT);
  bool made = status == ISCP_OK;
  ck_assert(made || (precision && status == ISCP_ERROR_UNSUPPORTED)); /* a CPU without bf16 */
  float *images = malloc(IMAGES * INPUT * sizeof *images);
  int32_t targets[IMAGES] = {1, 2, 3, 4};
  support_fill(images, IMAGES * INPUT, 0, 1, 11);
  if (made)
    ASSERT_OK(iscp_session_input_gradient(session, images, targets, IMAGES, gradient, NULL, logits));
  free(images);
  iscp_session_destroy(session);
  iscp_model_destroy(model);
  iscp_context_destroy(context);
  return made;
}

static double relative(const float *a, const float *b, int count) {
  double difference = 0, size = 0;
  for (int i = 0; i < count; i++) {
    difference += pow((double)a[i] - b[i], 2);
    size += pow(b[i], 2);
  }
  return sqrt(difference / size);
}

/* Logits go through 20 layers that each add rounding of its own: 20 times what one convolution may add is far from what a wrong
 * layer would. Gradients differ by ReLUs that decide otherwise, a few of 300,000 in float32 and one in some hundreds in bf16. */
START_TEST(networks_agree) {
  static float exact[IMAGES * CLASSES], other[IMAGES * CLASSES], exact_gradient[IMAGES * INPUT], other_gradient[IMAGES * INPUT];
  ck_assert(run_network(exact, exact_gradient, ISCP_CONVOLUTIONS_DIRECT, ISCP_PRECISION_F32));
  ck_assert(run_network(other, other_gradient, ISCP_CONVOLUTIONS_FAST, ISCP_PRECISION_F32));
  ck_assert_double_le(relative(other, exact, IMAGES * CLASSES), 1e-4);
  ck_assert_double_le(relative(other_gradient, exact_gradient, IMAGES * INPUT), 0.03);
  if (!run_network(other, other_gradient, ISCP_CONVOLUTIONS_DIRECT, ISCP_PRECISION_BF16))
    return;
  ck_assert(memcmp(other, exact, sizeof exact)); /* it was bf16 */
  ck_assert_double_le(relative(other, exact, IMAGES * CLASSES), 0.05);
  ck_assert_double_le(relative(other_gradient, exact_gradient, IMAGES * INPUT), 0.5);
}
END_TEST

START_TEST(wrong_kinds_are_refused) {
  iscp_context *context = (iscp_context *)&context;
  support_failed(make_context(&context, 2, 0), ISCP_ERROR_ARGUMENT, "convolutions is 2");
  ck_assert_ptr_null(context);
  support_failed(make_context(&context, 0, -1), ISCP_ERROR_ARGUMENT, "precision is -1");
  iscp_context_options options;
  ASSERT_OK(iscp_context_options_init(&options, sizeof options));
  options.precision = ISCP_PRECISION_BF16;
  options.backend = ISCP_BACKEND_BLAS;
  support_failed(iscp_context_create(&context, &options), ISCP_ERROR_UNSUPPORTED, "OpenBLAS has no bf16");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("kinds");
  TCase *kinds = tcase_create("kinds");
#if ISC_HAVE_ONEDNN
  tcase_add_test(kinds, winograd);
  tcase_add_test(kinds, bf16);
#endif
  tcase_add_test(kinds, networks_agree);
  tcase_add_test(kinds, wrong_kinds_are_refused);
  suite_add_tcase(suite, kinds);
  return support_run(suite);
}
