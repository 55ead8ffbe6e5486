/* Algorithm 1 once more, by hand: over the public session, without anything of lib/search. */
#ifndef SEARCH_HAND_H
#define SEARCH_HAND_H

#include "search_common.h"

typedef struct hand {
  const toy_world *world;
  const iscp_search_options *options;
  iscp_session *session;
  int32_t y;
  double alpha;
  bool authors;            /* l1 at m = 0, and the last update of the mask is not made */
  int lattice[TOY_PIXELS]; /* mask values in fiftieths: the step is 0.02 */
  int evidence[TOY_PIXELS];
  double canvas[TOY_NUMBERS];
  int steps, canvas_steps;
} hand;

/* The search of one canvas of a class by the options' epochs, order, turns of the canvas and its step. */
hand hand_search(const toy_world *world, const iscp_search_options *options, const float *canvas, int32_t y, double alpha,
                 bool authors);

float hand_value(const hand *h, int pixel); /* of the mask */

/* D_n of a class in the order of an epoch: the drawn images of other classes by their random keys. */
int hand_order(int64_t order[SEARCH_IMAGES], const toy_world *world, const iscp_search_options *options, int32_t y,
               int32_t epoch);

/* Of a canvas that a search has finished: mean cross-entropy over D_n with mask and canvas, plus alpha |m|_1 / n; and the
 * power on D_n. */
double hand_objective(const toy_world *world, const iscp_search_options *options, const iscp_search *search, int32_t y,
                      int32_t canvas, double alpha);
double hand_power(const toy_world *world, const iscp_search_options *options, const iscp_search *search, int32_t y,
                  int32_t canvas);

#endif
