/* Robust accuracy of a set. The images that the model knows as they are wait in a queue; each row of the batch attacks one of
 * them, at a step of its own, and takes the next when a step has fooled the model or all steps are done:
 *
 *   take images into free rows -> forward -> who is fooled, who is through -> backward -> a step of the others
 *
 * A model that falls at the first step thus costs two passes an image instead of twenty. */
#include <string.h>

#include "evaluate/evaluate.h"
#include "attack/object.h"

typedef struct row {
  int64_t image; /* of the set; -1: the row is free */
  int32_t steps; /* done */
} row;

typedef struct hunt {
  iscp_attack *attack;
  const iscp_dataset *dataset;
  const iscp_context *context;
  int64_t *queue;
  int64_t count, taken, robust;
  row *rows;
  float *clean, *x; /* batch images each */
  isc_meter meter;
} hunt;

/* ---- Clean ---- */

static iscp_status queue_known(hunt *h, iscp_attack_info *info, const isc_clean *clean) {
  h->queue = isc_calloc(h->context, (size_t)info->images, sizeof *h->queue);
  if (!h->queue)
    return ISCP_ERROR_MEMORY;
  for (int64_t i = 0; i < info->images; i++)
    if (clean->predicted[i] == iscp_dataset_label(h->dataset, i))
      h->queue[h->count++] = i;
  info->correct = h->count;
  return ISCP_OK;
}

/* ---- Rows ---- */

static float *image_at(const hunt *h, float *images, int32_t r) { return images + r * h->attack->numbers; }

static iscp_status take(void *user, int32_t r) {
  hunt *h = user;
  if (h->rows[r].image < 0 || h->rows[r].steps >= 0)
    return ISCP_OK; /* idle, or at work */
  float *clean = image_at(h, h->clean, r), *x = image_at(h, h->x, r);
  ISC_TRY(iscp_dataset_image(h->dataset, h->rows[r].image, clean));
  if (h->attack->options.random_start)
    isc_ball_start(x, clean, &h->attack->ball, 0, h->rows[r].image);
  else
    memcpy(x, clean, (size_t)h->attack->numbers * sizeof *x);
  return ISCP_OK;
}

/* Gives free rows their next images; the busy ones, and the free ones that are left, stay as they are. */
static iscp_status fill_rows(hunt *h) {
  int32_t batch = h->attack->options.batch;
  int64_t first = h->taken;
  for (int32_t r = 0; r < batch && h->taken < h->count; r++)
    if (h->rows[r].image < 0)
      h->rows[r] = (row){h->queue[h->taken++], -1};
  if (h->taken > first && h->taken < h->count)
    isc_dataset_expect(h->dataset, h->queue + h->taken, h->count - h->taken < batch ? h->count - h->taken : batch);
  ISC_TRY(isc_rows_fill(batch, take, h));
  for (int32_t r = 0; r < batch; r++)
    h->rows[r].steps = h->rows[r].steps < 0 ? 0 : h->rows[r].steps;
  return ISCP_OK;
}

static void place_rows(hunt *h) {
#pragma omp parallel for schedule(static)
  for (int32_t r = 0; r < h->attack->options.batch; r++)
    if (h->rows[r].image >= 0)
      isc_attack_place(h->attack, r, image_at(h, h->x, r));
}

/* After a forward pass. Frees the rows that are decided, gives the others their diff_logits; whether there are any. */
static bool judge_rows(hunt *h) {
  int32_t classes = isc_model_classes(h->attack->model);
  bool is_any = false;
  for (int32_t r = 0; r < h->attack->options.batch; r++) {
    row *own = &h->rows[r];
    const float *logits = isc_session_logits(h->attack->session, r);
    float *diff = isc_session_diff_logits(h->attack->session, r);
    memset(diff, 0, (size_t)classes * sizeof *diff);
    if (own->image < 0)
      continue;
    int32_t label = iscp_dataset_label(h->dataset, own->image);
    bool fooled = isc_argmax(logits, classes) != label, through = own->steps == h->attack->options.steps;
    h->robust += !fooled && through;
    h->meter.done += fooled || through;
    if (fooled || through) {
      own->image = -1;
      continue;
    }
    isc_attack_diff_logits(diff, logits, classes, label);
    is_any = true;
  }
  return is_any;
}

static void move_rows(hunt *h) {
#pragma omp parallel for schedule(static)
  for (int32_t r = 0; r < h->attack->options.batch; r++)
    if (h->rows[r].image >= 0) {
      isc_attack_move(image_at(h, h->x, r), image_at(h, h->clean, r), h->attack, r);
      h->rows[r].steps++;
    }
}

/* ---- The run ---- */

static iscp_status attack_queue(hunt *h, iscp_progress_fn progress, void *user) {
  int32_t batch = h->attack->options.batch;
  h->rows = isc_calloc(h->context, (size_t)batch, sizeof *h->rows);
  h->clean = isc_calloc(h->context, (size_t)batch, (size_t)h->attack->numbers * sizeof *h->clean);
  h->x = isc_calloc(h->context, (size_t)batch, (size_t)h->attack->numbers * sizeof *h->x);
  if (!h->rows || !h->clean || !h->x)
    return ISCP_ERROR_MEMORY;
  for (int32_t r = 0; r < batch; r++)
    h->rows[r].image = -1;
  h->meter.done = 0;
  isc_progress_begin(&h->meter.progress, "attack", h->count, progress, user);
  while (h->meter.done < h->count) {
    ISC_TRY(fill_rows(h));
    place_rows(h);
    ISC_TRY(isc_session_forward(h->attack->session));
    if (judge_rows(h)) {
      ISC_TRY(isc_session_backward(h->attack->session));
      move_rows(h);
    }
    ISC_TRY(isc_progress_tell(&h->meter.progress, h->meter.done));
  }
  return ISCP_OK;
}

static iscp_status run(hunt *h, iscp_attack_info *info, iscp_progress_fn progress, void *user) {
  isc_clean clean = {0};
  isc_progress_begin(&h->meter.progress, "clean", info->images, progress, user);
  iscp_status status = isc_clean_run(&clean, h->attack->session, h->attack->model, h->dataset, NULL, &h->meter);
  if (status == ISCP_OK)
    status = queue_known(h, info, &clean);
  isc_clean_release(&clean, h->context);
  if (status == ISCP_OK && h->count)
    status = attack_queue(h, progress, user);
  isc_free(h->context, h->queue);
  isc_free(h->context, h->rows);
  isc_free(h->context, h->clean);
  isc_free(h->context, h->x);
  return status;
}

static void finish(iscp_attack_info *info, const hunt *h) {
  double images = (double)info->images;
  info->robust = h->robust;
  info->accuracy = images > 0 ? (double)info->correct / images : 0;
  info->robust_accuracy = images > 0 ? (double)info->robust / images : 0;
  isc_wilson(&info->low, &info->high, info->correct, info->images);
  isc_wilson(&info->robust_low, &info->robust_high, info->robust, info->images);
}

iscp_status iscp_attack_accuracy(iscp_attack_info *info, iscp_attack *attack, const iscp_dataset *dataset,
                                 iscp_progress_fn progress, void *user) {
  if (!attack || !dataset)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is NULL", attack ? "dataset" : "attack");
  if (attack->options.targeted)
    return isc_fail(ISCP_ERROR_ARGUMENT, "targeted is 1, expected 0: accuracy is attacked away from the labels");
  ISC_TRY(isc_fields_check_output(info, &isc_attack_info_fields));
  ISC_TRY(isc_model_check_dataset(attack->model, dataset));
  iscp_attack_info result = {.struct_size = sizeof result, .images = iscp_dataset_count(dataset)};
  hunt h = {.attack = attack, .dataset = dataset, .context = isc_model_context(attack->model)};
  isc_compute compute;
  ISC_TRY(isc_session_enter(attack->session, &compute));
  iscp_status status = run(&h, &result, progress, user);
  isc_session_leave(attack->session, &compute);
  if (status != ISCP_OK)
    return status;
  finish(&result, &h);
  return isc_fields_write(info, &isc_attack_info_fields, &result);
}
