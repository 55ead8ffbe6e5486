#include "search_hand.h"

#include <string.h>

#include "data/data.h"
#include "nn/nn.h"

enum { MOST = 16 }; /* images a step */

int hand_order(int64_t order[SEARCH_IMAGES], const toy_world *world, const iscp_search_options *o, int32_t y,
               int32_t epoch) {
  uint8_t searched[SEARCH_IMAGES];
  int count = 0;
  ASSERT_OK(isc_split_draw(searched, world->dataset, o->fraction, o->seed));
  for (int64_t i = 0; i < SEARCH_IMAGES; i++) {
    if (!searched[i] || iscp_dataset_label(world->dataset, i) == y)
      continue;
    int at = count++;
    uint64_t key = isc_random(o->seed, ISC_PURPOSE_ORDER, y, epoch, i);
    for (; at > 0 && isc_random(o->seed, ISC_PURPOSE_ORDER, y, epoch, order[at - 1]) > key; at--)
      order[at] = order[at - 1];
    order[at] = i;
  }
  return count;
}

float hand_value(const hand *h, int pixel) { return (float)(h->lattice[pixel] / 50.0); }

static void mix(float *mixed, const hand *h, const float *image) {
  for (int i = 0; i < TOY_NUMBERS; i++) {
    float m = hand_value(h, i % TOY_PIXELS);
    mixed[i] = m * (float)h->canvas[i] + (1 - m) * image[i];
  }
}

/* m <- clip(m - 0.02 sign(sum_j sum_c g_jc (x_c - x_jc) + rows alpha sign(m) / n)) */
static void move_mask(hand *h, float gradient[][TOY_NUMBERS], float images[][TOY_NUMBERS], int rows) {
  for (int p = 0; p < TOY_PIXELS; p++) {
    double slope = h->lattice[p] > 0 || h->authors ? rows * h->alpha / TOY_PIXELS : 0;
    for (int r = 0; r < rows; r++)
      for (int i = p; i < TOY_NUMBERS; i += TOY_PIXELS)
        slope += (double)gradient[r][i] * ((double)(float)h->canvas[i] - images[r][i]);
    int sign = (slope < 0) - (slope > 0), moved = h->lattice[p] + sign;
    h->lattice[p] = moved < 0 ? 0 : moved > 50 ? 50 : moved;
    h->evidence[p] += sign;
  }
  h->steps++;
}

/* x_c <- clip(x_c - canvas_step sign(sum_j m g_j)) */
static void move_canvas(hand *h, float gradient[][TOY_NUMBERS], int rows) {
  for (int i = 0; i < TOY_NUMBERS; i++) {
    double slope = 0;
    for (int r = 0; r < rows; r++)
      slope += (double)hand_value(h, i % TOY_PIXELS) * gradient[r][i];
    double moved = h->canvas[i] + h->options->canvas_step * ((slope < 0) - (slope > 0));
    h->canvas[i] = moved < 0 ? 0 : moved > 1 ? 1 : moved;
  }
  h->canvas_steps++;
}

static void take_step(hand *h, const int64_t *batch, int rows, bool of_canvas) {
  float images[MOST][TOY_NUMBERS], mixed[MOST][TOY_NUMBERS], gradient[MOST][TOY_NUMBERS];
  int32_t targets[MOST];
  for (int r = 0; r < rows; r++) {
    ASSERT_OK(iscp_dataset_image(h->world->dataset, batch[r], images[r]));
    mix(mixed[r], h, images[r]);
    targets[r] = h->y;
  }
  ASSERT_OK(iscp_session_input_gradient(h->session, mixed[0], targets, rows, gradient[0], NULL, NULL));
  if (of_canvas)
    move_canvas(h, gradient, rows);
  else
    move_mask(h, gradient, images, rows);
}

/* Whose turn each minibatch of a search is: 'm' or 'c', the turns written out one by one. */
static int list_turns(char *turns, const iscp_search_options *o, int minibatches) {
  int last_of_mask = 0;
  for (int t = 0; t < minibatches;) {
    for (int i = 0; i < o->mask_steps && t < minibatches; i++) {
      last_of_mask = t;
      turns[t++] = 'm';
    }
    for (int i = 0; i < o->canvas_steps && t < minibatches; i++)
      turns[t++] = 'c';
  }
  return last_of_mask;
}

hand hand_search(const toy_world *world, const iscp_search_options *options, const float *canvas, int32_t y, double alpha,
                 bool authors) {
  hand h = {world, options, NULL, y, alpha, authors, {0}, {0}, {0}, 0, 0};
  ck_assert_int_le(options->batch, MOST);
  ASSERT_OK(iscp_session_create(&h.session, world->model, options->batch, ISCP_SESSION_GRADIENT));
  for (int p = 0; p < TOY_PIXELS; p++)
    h.lattice[p] = 25;
  for (int i = 0; i < TOY_NUMBERS; i++)
    h.canvas[i] = canvas[i];
  int64_t order[SEARCH_IMAGES];
  int count = hand_order(order, world, options, y, 0), batch = options->batch, turn = 0;
  char turns[1024];
  int minibatches = options->epochs * ((count + batch - 1) / batch), last = list_turns(turns, options, minibatches);
  for (int32_t epoch = 0; epoch < options->epochs; epoch++) {
    hand_order(order, world, options, y, epoch);
    for (int start = 0; start < count; start += batch, turn++)
      if (!authors || turn != last)
        take_step(&h, order + start, count - start < batch ? count - start : batch, turns[turn] == 'c');
  }
  iscp_session_destroy(h.session);
  h.session = NULL;
  return h;
}

double hand_objective(const toy_world *world, const iscp_search_options *o, const iscp_search *search, int32_t y,
                      int32_t canvas, double alpha) {
  int64_t order[SEARCH_IMAGES];
  int count = hand_order(order, world, o, y, 0);
  const float *mask = iscp_search_mask(search, y, canvas), *from = iscp_search_canvas(search, y, canvas);
  double sum = 0, norm = 0;
  iscp_session *session;
  ASSERT_OK(iscp_session_create(&session, world->model, 1, ISCP_SESSION_INFERENCE));
  for (int i = 0; i < count; i++) {
    float image[TOY_NUMBERS], logits[TOY_CLASSES];
    ASSERT_OK(iscp_dataset_image(world->dataset, order[i], image));
    for (int v = 0; v < TOY_NUMBERS; v++)
      image[v] = mask[v % TOY_PIXELS] * from[v] + (1 - mask[v % TOY_PIXELS]) * image[v];
    ASSERT_OK(iscp_session_logits(session, image, 1, logits));
    sum += isc_cross_entropy(NULL, logits, TOY_CLASSES, y);
  }
  iscp_session_destroy(session);
  for (int p = 0; p < TOY_PIXELS; p++)
    norm += mask[p];
  return sum / count + alpha * norm / TOY_PIXELS;
}

double hand_power(const toy_world *world, const iscp_search_options *o, const iscp_search *search, int32_t y,
                  int32_t canvas) {
  iscp_evaluate_options options;
  iscp_evaluation *evaluation;
  iscp_pattern *pattern;
  iscp_power power = {.struct_size = sizeof power};
  ASSERT_OK(iscp_evaluate_options_init(&options, sizeof options));
  options.images = ISCP_IMAGES_SEARCHED;
  options.fraction = o->fraction;
  options.seed = o->seed;
  ASSERT_OK(iscp_evaluation_create(&evaluation, world->model, world->dataset, &options, NULL, NULL));
  ASSERT_OK(iscp_search_pattern(&pattern, search, y, canvas, ISCP_CUT_SIZE, o->select_size));
  ASSERT_OK(iscp_evaluation_power(evaluation, pattern, &power, NULL, NULL));
  iscp_pattern_destroy(pattern);
  iscp_evaluation_destroy(evaluation);
  return power.pw;
}
