/* lib/nn: the table of ResNets, the graph that is made of it, and how strictly tensors are held against it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn/resnet/graph.h"
#include "nn/resnet/parameters.h"
#include "support.h"
#include "toy.h"

static const int32_t depths[] = {18, 34, 50, 101, 152};
static const toy small = {18, 4, ISCP_STEM_CIFAR, 3, 5, 1};

static isc_tensor *item(isc_tensor_set *set, const char *name) {
  isc_tensor *found = (isc_tensor *)isc_tensor_set_find(set, name);
  ck_assert_msg(found != NULL, "no tensor %s", name);
  return found;
}

/* Under another name, as if it were missing and something else there. */
static void rename_item(isc_tensor_set *set, const iscp_context *context, const char *from, const char *to) {
  isc_tensor *tensor = item(set, from);
  isc_free(context, tensor->name);
  tensor->name = isc_strdup(context, to);
}

/* ---- Architecture ---- */

START_TEST(architectures_are_inferred) {
  iscp_context *context = support_context();
  for (int d = 0; d < 5; d++)
    for (int32_t stem = ISCP_STEM_IMAGENET; stem <= ISCP_STEM_CIFAR; stem++) {
      toy t = {depths[d], 4 + d, stem, d % 2 ? 1 : 3, 2 + d, 1};
      isc_tensor_set tensors;
      isc_architecture a;
      toy_tensors(&tensors, context, &t);
      ASSERT_OK(isc_architecture_infer(&a, &tensors));
      ck_assert_int_eq(a.depth, t.depth);
      ck_assert_int_eq(a.width, t.width);
      ck_assert_int_eq(a.stem, t.stem);
      ck_assert_int_eq(a.classes, t.classes);
      ck_assert_int_eq(a.channels, t.channels);
      isc_tensor_set_release(&tensors, context);
    }
  support_context_end(context);
}
END_TEST

/* One size of one tensor of an otherwise good network is changed; the tensors' numbers are never looked at. */
static void refuse_shape(const char *name, int32_t dims, int axis, int64_t size, const char *word) {
  iscp_context *context = support_context();
  isc_tensor_set tensors;
  isc_architecture a;
  toy_tensors(&tensors, context, &small);
  isc_tensor *tensor = item(&tensors, name);
  tensor->dims = dims;
  tensor->shape[axis] = size;
  support_failed(isc_architecture_infer(&a, &tensors), ISCP_ERROR_MISMATCH, word);
  isc_tensor_set_release(&tensors, context);
  support_context_end(context);
}

START_TEST(other_shapes_are_no_resnet) {
  refuse_shape("conv1.weight", 2, 0, 4, "\"conv1.weight\" has 2 dimensions, expected 4");
  refuse_shape("fc.weight", 1, 0, 5, "\"fc.weight\" has 1 dimensions, expected 2");
  refuse_shape("conv1.weight", 4, 0, 0, "0 output channels");
  refuse_shape("conv1.weight", 4, 0, 4097, "4097 output channels, expected 1 to 4096");
  refuse_shape("conv1.weight", 4, 1, 2, "2 input channels, expected 1 or 3");
  refuse_shape("conv1.weight", 4, 1, 4, "4 input channels");
  refuse_shape("conv1.weight", 4, 2, 5, "5x3, expected 7x7");
  refuse_shape("conv1.weight", 4, 3, 7, "3x7, expected 7x7 (imagenet stem) or 3x3 (cifar stem)");
  refuse_shape("fc.weight", 2, 0, 1, "1 rows, expected 2 to 1000000 classes");
  refuse_shape("fc.weight", 2, 0, 1000001, "1000001 rows");
}
END_TEST

static void refuse_rename(const char *from, const char *to, const char *word) {
  iscp_context *context = support_context();
  isc_tensor_set tensors;
  isc_architecture a;
  toy_tensors(&tensors, context, &small);
  rename_item(&tensors, context, from, to);
  support_failed(isc_architecture_infer(&a, &tensors), ISCP_ERROR_MISMATCH, word);
  isc_tensor_set_release(&tensors, context);
  support_context_end(context);
}

START_TEST(other_names_are_no_resnet) {
  refuse_rename("conv1.weight", "module.conv1.weight",
                "no tensor \"conv1.weight\", expected a ResNet with torchvision's");
  refuse_rename("fc.weight", "classifier.weight", "no tensor \"fc.weight\"");
  refuse_rename("layer1.1.conv1.weight", "layer1.7.conv1.weight", "layers of 1, 2, 2, 2 basic blocks, expected");
  refuse_rename("layer4.0.conv1.weight", "x", "2, 2, 2, 0 basic");
  refuse_rename("layer1.0.bn1.weight", "layer1.0.conv3.weight", "2, 2, 2, 2 bottleneck blocks");
  iscp_context *context = support_context();
  isc_tensor_set empty = {0};
  isc_architecture a;
  support_failed(isc_architecture_infer(&a, &empty), ISCP_ERROR_MISMATCH, "conv1.weight");
  support_context_end(context);
}
END_TEST

/* ---- Graph ---- */

static int64_t multiply_adds(const isc_graph *graph) {
  int64_t sum = (int64_t)graph->features * graph->architecture.classes;
  for (int32_t i = 0; i < graph->layer_count; i++) {
    const isc_conv_shape *s = &graph->layers[i].shape;
    sum += (int64_t)s->oc * s->oh * s->ow * s->ic * s->k * s->k;
  }
  return sum;
}

/* Torchvision's own table of models says these, to the digits that it gives. */
START_TEST(published_networks_have_their_known_size) {
  static const int64_t known[5][4] = {{1814073344, 11689512, 555422720, 11173962},
                                      {3663761408, 21797672, 1159402496, 21282122},
                                      {4089184256, 25557032, 1297829888, 23520842},
                                      {7801405440, 44549160, 2509983744, 42512970},
                                      {11513626624, 60192808, 3722137600, 58156618}};
  isc_graph *graph = malloc(sizeof *graph);
  for (int d = 0; d < 5; d++) {
    isc_architecture imagenet = {depths[d], 64, ISCP_STEM_IMAGENET, 1000, 3, 0, 0, 0},
                     cifar = {depths[d], 64, ISCP_STEM_CIFAR, 10, 3, 0, 0, 0};
    ASSERT_OK(isc_graph_build(graph, &imagenet, 1, 224, 224, 0));
    ck_assert_int_eq(multiply_adds(graph), known[d][0]);
    ck_assert_int_eq(isc_parameters_count(graph), known[d][1]);
    ASSERT_OK(isc_graph_build(graph, &cifar, 4, 32, 32, 0));
    ck_assert_int_eq(multiply_adds(graph), known[d][2]);
    ck_assert_int_eq(isc_parameters_count(graph), known[d][3]);
  }
  free(graph);
}
END_TEST

typedef struct form {
  int32_t c, h, w;
} form;

static bool is_form(form a, int32_t c, int32_t h, int32_t w) { return a.c == c && a.h == h && a.w == w; }

/* What each slot holds, followed through the forward list: every operation finds its input's shape. */
static form follow_forward(const isc_graph *g, form input) {
  form slots[ISC_SLOTS] = {{0}};
  for (int32_t i = 0; i < g->forward_count; i++) {
    const isc_operation *o = &g->forward[i];
    form src = o->src == ISC_SLOT_INPUT ? input : slots[o->src];
    ck_assert(o->dst >= 0 && o->dst < ISC_SLOTS && o->dst != o->src);
    if (o->kind == ISC_POOL_FORWARD) {
      ck_assert(is_form(src, g->architecture.width, g->pool_ih, g->pool_iw));
      slots[o->dst] = (form){src.c, g->pool_oh, g->pool_ow};
      continue;
    }
    ck_assert_int_eq(o->kind, ISC_CONV_FORWARD);
    const isc_conv_shape *s = &g->layers[o->layer].shape;
    ck_assert(is_form(src, s->ic, s->ih, s->iw));
    ck_assert(!g->layers[o->layer].sum || is_form(slots[o->dst], s->oc, s->oh, s->ow));
    slots[o->dst] = (form){s->oc, s->oh, s->ow};
  }
  return slots[g->head_src];
}

/* The same for gradients. */
static void follow_backward(const isc_graph *g) {
  form slots[ISC_SLOTS] = {{0}};
  slots[g->head_diff] = (form){g->features, g->head_h, g->head_w};
  for (int32_t i = 0; i < g->backward_count; i++) {
    const isc_operation *o = &g->backward[i];
    const isc_conv_shape *s = &g->layers[o->layer].shape;
    bool last = i == g->backward_count - 1;
    form src = slots[o->src];
    ck_assert_int_eq(o->kind, last && g->pool_oh ? ISC_STEM_POOL_BACKWARD : ISC_CONV_BACKWARD_DATA);
    if (o->kind == ISC_STEM_POOL_BACKWARD)
      ck_assert(is_form(src, s->oc, g->pool_oh, g->pool_ow) && s->oh == g->pool_ih && s->ow == g->pool_iw);
    else
      ck_assert(is_form(src, s->oc, s->oh, s->ow));
    ck_assert(o->dst != o->src);
    ck_assert_int_eq(o->dst == ISC_SLOT_INPUT, last);
    if (o->join != ISC_NO_SLOT) /* the other branch is there already, and the free slot is none of the two */
      ck_assert(is_form(slots[o->dst], s->ic, s->ih, s->iw) && o->join != o->dst && o->join != o->src);
    if (o->behind != ISC_NO_LAYER) {
      const isc_conv_shape *made = &g->layers[o->behind].shape;
      ck_assert(g->layers[o->behind].bits && is_form((form){s->ic, s->ih, s->iw}, made->oc, made->oh, made->ow));
    }
    if (o->dst != ISC_SLOT_INPUT)
      slots[o->dst] = (form){s->ic, s->ih, s->iw};
  }
}

static void check_each_layer_once(const isc_graph *g) {
  int forward[ISC_MAX_LAYERS] = {0}, backward[ISC_MAX_LAYERS] = {0};
  for (int32_t i = 0; i < g->forward_count; i++)
    if (g->forward[i].kind == ISC_CONV_FORWARD)
      forward[g->forward[i].layer]++;
  for (int32_t i = 0; i < g->backward_count; i++)
    backward[g->backward[i].layer]++;
  for (int32_t i = 0; i < g->layer_count; i++)
    ck_assert(forward[i] == 1 && backward[i] == 1);
}

START_TEST(graphs_hang_together) {
  static const int32_t layers[] = {20, 36, 53, 104, 155}, sizes[][2] = {{8, 8}, {9, 31}, {33, 8}, {224, 224}};
  isc_graph *g = malloc(sizeof *g);
  for (int d = 0; d < 5; d++)
    for (int s = 0; s < 4; s++)
      for (int32_t stem = ISCP_STEM_IMAGENET; stem <= ISCP_STEM_CIFAR; stem++) {
        isc_architecture a = {depths[d], 6, stem, 10, 1, 0, 0, 0};
        ASSERT_OK(isc_graph_build(g, &a, 3, sizes[s][0], sizes[s][1], 0));
        ck_assert_int_eq(g->layer_count, layers[d]);
        ck_assert_int_eq(g->features, depths[d] < 50 ? 48 : 192);
        form last = follow_forward(g, (form){1, sizes[s][0], sizes[s][1]});
        ck_assert(is_form(last, g->features, g->head_h, g->head_w));
        int32_t shrink = stem == ISCP_STEM_IMAGENET ? 32 : 8;
        ck_assert_int_eq(g->head_h, (sizes[s][0] + shrink - 1) / shrink);
        ck_assert_int_eq(g->head_w, (sizes[s][1] + shrink - 1) / shrink);
        follow_backward(g);
        check_each_layer_once(g);
      }
  isc_architecture unknown = {20, 16, ISCP_STEM_CIFAR, 10, 3, 0, 0, 0};
  support_failed(isc_graph_build(g, &unknown, 1, 32, 32, 0), ISCP_ERROR_ARGUMENT,
                 "depth is 20, expected 18, 34, 50, 101 or 152");
  free(g);
}
END_TEST

/* ---- Networks ---- */

START_TEST(a_network_takes_its_tensors_over) {
  iscp_context *context = support_context();
  toy t = {50, 8, ISCP_STEM_IMAGENET, 3, 9, 3};
  isc_tensor_set tensors;
  isc_network *network;
  isc_graph *graph = malloc(sizeof *graph);
  toy_tensors(&tensors, context, &t);
  size_t count = tensors.count;
  ASSERT_OK(isc_network_create(&network, context, &tensors));
  ck_assert(!tensors.items && !tensors.count);
  ck_assert_uint_eq(isc_network_tensors(network)->count, count);
  ck_assert_ptr_eq(isc_network_context(network), context);
  ck_assert_int_eq(isc_network_architecture(network)->depth, 50);
  ASSERT_OK(isc_graph_build(graph, isc_network_architecture(network), 1, 50, 40, 0));
  ck_assert_int_eq(isc_network_multiply_adds(network, 50, 40), multiply_adds(graph));
  ck_assert_int_eq(isc_network_parameters(network), isc_parameters_count(graph));
  isc_network *held = isc_network_hold(network);
  isc_network_drop(network);
  ck_assert_int_eq(isc_network_architecture(held)->classes, 9);
  isc_network_drop(held);
  isc_network_drop(NULL);
  free(graph);
  support_context_end(context);
}
END_TEST

static char logged[8][200];
static int log_count;

static void keep_log(int32_t level, const char *message, void *user) {
  (void)user;
  ck_assert_int_eq(level, ISCP_LOG_ERROR);
  if (log_count < 8)
    snprintf(logged[log_count], sizeof logged[0], "%s", message);
  log_count++;
}

static iscp_context *logging_context(void) {
  iscp_context_options options;
  iscp_context *context;
  ASSERT_OK(iscp_context_options_init(&options, sizeof options));
  options.log = keep_log;
  log_count = 0;
  ASSERT_OK(iscp_context_create(&context, &options));
  return context;
}

typedef void spoil_fn(isc_tensor_set *set, const iscp_context *context);

/* A network with one fault is refused with `word`, logged once, and its tensors are left where they were. */
static void refuse(spoil_fn *spoil, const char *word) {
  iscp_context *context = logging_context();
  isc_tensor_set tensors;
  isc_network *network = (isc_network *)&tensors;
  toy_tensors(&tensors, context, &small);
  spoil(&tensors, context);
  size_t count = tensors.count;
  support_failed(isc_network_create(&network, context, &tensors), ISCP_ERROR_MISMATCH, word);
  ck_assert_ptr_nonnull(strstr(iscp_error_message(), "do not fit a ResNet-18"));
  ck_assert_ptr_null(network);
  ck_assert_uint_eq(tensors.count, count);
  ck_assert_int_eq(log_count, 1);
  ck_assert_ptr_nonnull(strstr(logged[0], word));
  isc_tensor_set_release(&tensors, context);
  iscp_context_destroy(context);
}

static void spoil_missing(isc_tensor_set *set, const iscp_context *context) {
  isc_tensor *last = &set->items[set->count - 1], *gone = item(set, "layer2.0.downsample.1.running_mean");
  isc_tensor_release(gone, context);
  *gone = *last;
  set->count--;
}

static void spoil_extra(isc_tensor_set *set, const iscp_context *context) {
  toy_add(set, context, "layer1.0.conv2.bias", 1, (int64_t[]){4}, 0, 1, 1);
}

static void spoil_shape(isc_tensor_set *set, const iscp_context *context) {
  (void)context;
  isc_tensor *tensor = item(set, "layer3.1.conv2.weight");
  tensor->shape[0] = 8;
  tensor->shape[1] = 32;
}

static void spoil_dims(isc_tensor_set *set, const iscp_context *context) {
  (void)context;
  isc_tensor *tensor = item(set, "layer1.0.bn1.bias");
  tensor->dims = 2;
  tensor->shape[1] = 1;
}

static void spoil_nan(isc_tensor_set *set, const iscp_context *context) {
  (void)context;
  isc_tensor *tensor = item(set, "layer4.1.conv2.weight");
  ((float *)tensor->data)[isc_tensor_count(tensor) - 1] = NAN;
}

static void spoil_infinity(isc_tensor_set *set, const iscp_context *context) {
  (void)context;
  ((float *)item(set, "fc.bias")->data)[4] = -INFINITY;
}

static void spoil_variance(isc_tensor_set *set, const iscp_context *context) {
  (void)context;
  ((float *)item(set, "bn1.running_var")->data)[2] = -0.001f;
}

static void spoil_dtype(isc_tensor_set *set, const iscp_context *context) {
  (void)context;
  item(set, "fc.weight")->dtype = ISC_I32;
}

START_TEST(each_fault_is_named) {
  refuse(spoil_missing, "tensor \"layer2.0.downsample.1.running_mean\" is missing");
  refuse(spoil_extra, "tensor \"layer1.0.conv2.bias\" is unexpected");
  refuse(spoil_shape, "tensor \"layer3.1.conv2.weight\" is 8x32x3x3, expected 16x16x3x3");
  refuse(spoil_dims, "tensor \"layer1.0.bn1.bias\" is 4x1, expected 4");
  refuse(spoil_nan, "tensor \"layer4.1.conv2.weight\" holds a NaN or infinite number");
  refuse(spoil_infinity, "tensor \"fc.bias\" holds a NaN or infinite number");
  refuse(spoil_variance, "tensor \"bn1.running_var\" holds a NaN, infinite or negative number");
  refuse(spoil_dtype, "tensor \"fc.weight\" is of int32, expected floating point");
}
END_TEST

/* The message holds three faults and the number of the others, the log all of them. */
START_TEST(many_faults_are_counted) {
  iscp_context *context = logging_context();
  isc_tensor_set tensors;
  isc_network *network;
  toy_tensors(&tensors, context, &small);
  spoil_nan(&tensors, context);
  spoil_variance(&tensors, context);
  rename_item(&tensors, context, "layer1.1.bn2.bias", "layer1.1.bn2.beta");
  rename_item(&tensors, context, "fc.bias", "a name with\nanother line in it");
  support_failed(isc_network_create(&network, context, &tensors), ISCP_ERROR_MISMATCH,
                 "; and 3 more, listed in the log");
  ck_assert_int_eq(log_count, 6);
  static const char *const words[] = {"bn1.running_var", "layer1.1.bn2.bias", "layer4.1.conv2", "fc.bias", "bn2.beta"};
  for (int i = 0; i < 5; i++) {
    ck_assert_ptr_nonnull(strstr(logged[i], words[i]));
    ck_assert_int_eq(strstr(iscp_error_message(), words[i]) != NULL, i < 3);
  }
  isc_tensor_set_release(&tensors, context);
  iscp_context_destroy(context);
}
END_TEST

/* f16, bf16 and f64 are as good as f32; a counter may be of any type and may be absent. */
START_TEST(all_floating_types_are_taken) {
  iscp_context *context = support_context();
  static const isc_dtype dtypes[] = {ISC_F16, ISC_BF16, ISC_F64};
  for (int d = 0; d < 3; d++) {
    isc_tensor_set tensors;
    isc_network *network;
    toy_tensors(&tensors, context, &small);
    for (size_t i = 0; i < tensors.count; i++) {
      isc_tensor *old = &tensors.items[i], made;
      ASSERT_OK(isc_tensor_create(&made, context, dtypes[d], old->dims, old->shape));
      memset(made.data, 0, isc_tensor_bytes(&made));
      made.name = old->name;
      old->name = NULL;
      isc_tensor_release(old, context);
      *old = made;
    }
    item(&tensors, "bn1.num_batches_tracked")->dtype = ISC_I8;
    isc_tensor_release(&tensors.items[--tensors.count], context); /* fc.bias */
    toy_add(&tensors, context, "fc.bias", 1, (int64_t[]){5}, 0, 1, 1);
    ASSERT_OK(isc_network_create(&network, context, &tensors));
    isc_network_drop(network);
  }
  support_context_end(context);
}
END_TEST

/* ---- Batch norm ---- */

/* One layer of one channel by hand: gamma 3, variance 4, mean 2, beta 1, so that y = 1.5 (conv - 2) + 1 but for eps. */
static void make_layer(isc_tensor_set *set, const iscp_context *context, isc_layer *layer) {
  static const char *const leaves[] = {"weight", "bias", "running_mean", "running_var"};
  static const float values[] = {3, 1, 2, 4};
  int64_t one = 1;
  *layer = (isc_layer){.conv = "c", .norm = "n", .shape = {1, 1, 8, 8, 1, 8, 8, 3, 1, 1}};
  toy_add(set, context, "c.weight", 4, (int64_t[]){1, 1, 3, 3}, -1, 1, 4);
  for (int i = 0; i < 4; i++) {
    char name[32];
    snprintf(name, sizeof name, "n.%s", leaves[i]);
    toy_add(set, context, name, 1, &one, values[i], values[i], 0);
  }
}

START_TEST(batch_norm_is_folded_in) {
  iscp_context *context = support_context();
  isc_tensor_set set = {0};
  isc_layer layer;
  float weights[9], bias;
  make_layer(&set, context, &layer);
  ASSERT_OK(isc_parameters_fold(weights, &bias, &set, &layer));
  double scale = 3 / sqrt(4 + 1e-5);
  for (int i = 0; i < 9; i++)
    ck_assert(weights[i] == (float)(((const float *)item(&set, "c.weight")->data)[i] * scale));
  ck_assert(bias == (float)(1 - 2 * scale));
  isc_tensor_set_release(&set, context);
  support_context_end(context);
}
END_TEST

/* Finite tensors may fold to numbers that float32 cannot hold: refused, not run. */
START_TEST(folding_must_not_overflow) {
  static const char *const names[] = {"n.running_mean", "c.weight"};
  iscp_context *context = support_context();
  for (int i = 0; i < 2; i++) {
    isc_tensor_set set = {0};
    isc_layer layer;
    float weights[9], bias;
    make_layer(&set, context, &layer);
    *(float *)item(&set, "n.running_var")->data = 0;
    *(float *)item(&set, names[i])->data = 3e37f;
    support_failed(isc_parameters_fold(weights, &bias, &set, &layer), ISCP_ERROR_MISMATCH,
                   "channel 0 of \"n\" overflows float32");
    isc_tensor_set_release(&set, context);
  }
  support_context_end(context);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("nn");
  TCase *architecture = tcase_create("architecture"), *graph = tcase_create("graph"),
        *network = tcase_create("network");
  tcase_add_test(architecture, architectures_are_inferred);
  tcase_add_test(architecture, other_shapes_are_no_resnet);
  tcase_add_test(architecture, other_names_are_no_resnet);
  tcase_add_test(graph, published_networks_have_their_known_size);
  tcase_add_test(graph, graphs_hang_together);
  tcase_add_test(network, a_network_takes_its_tensors_over);
  tcase_add_test(network, each_fault_is_named);
  tcase_add_test(network, many_faults_are_counted);
  tcase_add_test(network, all_floating_types_are_taken);
  tcase_add_test(network, batch_norm_is_folded_in);
  tcase_add_test(network, folding_must_not_overflow);
  suite_add_tcase(suite, architecture);
  suite_add_tcase(suite, graph);
  suite_add_tcase(suite, network);
  return support_run(suite);
}
