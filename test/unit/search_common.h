/* What the tests of lib/search share: small searches of a toy world. */
#ifndef SEARCH_COMMON_H
#define SEARCH_COMMON_H

#include "support.h"
#include "toy.h"

enum { SEARCH_IMAGES = 40 };

/* The world of SEARCH_IMAGES images. */
toy_world search_world(void);

/* Two epochs over half of the images, two positive canvases a class, one lane. */
iscp_search_options search_options(void);

/* Creates a search, and runs it until it yields -1. */
iscp_search *search_create(const toy_world *world, const iscp_search_options *options);
void search_finish(iscp_search *search);
iscp_search *search_run(const toy_world *world, const iscp_search_options *options);

iscp_canvas_result search_result(const iscp_search *search, int32_t class_index, int32_t canvas);

/* Fails unless both searches have the same bytes for a class: canvases, masks, evidence, objectives, selection. */
void search_check_same(const iscp_search *a, const iscp_search *b, int32_t class_index, int32_t epochs);

/* Gives the world's images other labels. */
void search_relabel(toy_world *world, const int32_t labels[SEARCH_IMAGES]);

/* What the model says of each image, asked one at a time: the class and its logit. */
void search_predict(const toy_world *world, int32_t predicted[SEARCH_IMAGES], float logit[SEARCH_IMAGES]);

#endif
