/* Broken pictures of a dataset of files. Without the option skip_broken the first bytes of all are looked at when the set is
 * opened, so that a file of another kind, or an empty one, stops the work before it begins; damage further inside is met
 * where the picture is first decoded. With it all are decoded at once, and those that fail are left out, with their reasons. */
#include <string.h>

#include "data/dataset.h"
#include "data/workers.h"

/* What is known of each file. */
typedef struct finding {
  iscp_status status;
  char *reason; /* NULL where the file is good, or there was no memory */
  int64_t height, width;
} finding;

typedef struct inspection {
  const iscp_dataset *dataset;
  finding *findings;
} inspection;

static void note_failure(finding *f, const iscp_dataset *dataset, iscp_status status) {
  f->status = status;
  f->reason = isc_strdup(dataset->context, iscp_error_message());
}

static void look(void *user, int64_t item) {
  inspection *all = user;
  iscp_status status = isc_check_image(all->dataset->paths[item]);
  if (status != ISCP_OK)
    note_failure(&all->findings[item], all->dataset, status);
}

/* Whether it fits the contract shows only when it is brought into network form. */
static iscp_status decode(finding *f, const iscp_dataset *dataset, int64_t item) {
  isc_tensor holder;
  isc_picture picture;
  uint8_t *image = NULL;
  iscp_status status;
  ISC_TRY_OR_DONE(isc_dataset_fetch(&picture, &holder, dataset, item));
  f->height = picture.height;
  f->width = picture.width;
  if (!dataset->has_contract)
    goto done;
  image = isc_alloc(dataset->context, (size_t)isc_contract_numbers(&dataset->contract));
  if (!image)
    ISC_TRY_OR_DONE(ISCP_ERROR_MEMORY);
  status = isc_picture_pack(image, dataset->context, &dataset->contract, &picture);
  if (status != ISCP_OK)
    status = isc_fail_in(status, dataset->paths[item]);
done:
  isc_free(dataset->context, image);
  isc_tensor_release(&holder, dataset->context);
  return status;
}

static void try(void *user, int64_t item) {
  inspection *all = user;
  iscp_status status = decode(&all->findings[item], all->dataset, item);
  if (status != ISCP_OK)
    note_failure(&all->findings[item], all->dataset, status);
}

static void note_size(iscp_dataset *dataset, const finding *f) {
  const int64_t sides[] = {f->height, f->width};
  for (int i = 0; i < 2 && f->height; i++) {
    dataset->low[i] = !dataset->low[i] || sides[i] < dataset->low[i] ? sides[i] : dataset->low[i];
    dataset->high[i] = sides[i] > dataset->high[i] ? sides[i] : dataset->high[i];
  }
}

/* Being out of memory says nothing of a file: the whole call fails. */
static iscp_status count_broken(int64_t *broken, const inspection *all) {
  *broken = 0;
  for (int64_t i = 0; i < all->dataset->count; i++) {
    const finding *f = &all->findings[i];
    if (f->status == ISCP_ERROR_MEMORY || (f->status != ISCP_OK && !f->reason))
      return isc_fail(ISCP_ERROR_MEMORY, "%s", f->reason ? f->reason : "out of memory while looking at pictures");
    *broken += f->status != ISCP_OK;
  }
  return ISCP_OK;
}

static const finding *first_broken(const inspection *all) {
  const finding *f = all->findings;
  while (f->status == ISCP_OK)
    f++;
  return f;
}

/* The message begins as if the picture had been asked for; how many there are comes after. */
static iscp_status fail_broken(const inspection *all, int64_t broken) {
  const finding *first = first_broken(all);
  if (broken == 1)
    return isc_fail(first->status, "%s (of %lld pictures; skip_broken would leave it out)", first->reason,
                    (long long)all->dataset->count);
  return isc_fail(first->status, "%s (the first of %lld broken pictures of %lld; skip_broken would leave them out)",
                  first->reason, (long long)broken, (long long)all->dataset->count);
}

iscp_status isc_dataset_add_broken(iscp_dataset *dataset, const char *name, const char *reason) {
  const iscp_context *context = dataset->context;
  ISC_TRY(isc_grow(context, (void **)&dataset->broken, &dataset->broken_capacity, dataset->broken_count + 1,
                   sizeof *dataset->broken));
  isc_broken *broken = &dataset->broken[dataset->broken_count++];
  *broken = (isc_broken){isc_strdup(context, name), isc_strdup(context, reason)};
  isc_log(context, ISCP_LOG_INFO, "%s is left out: %s", name, reason);
  return broken->name && broken->reason ? ISCP_OK : ISCP_ERROR_MEMORY;
}

/* Moves the broken ones out of the list; the others close up in their order. */
static iscp_status leave_out(iscp_dataset *dataset, inspection *all, int64_t broken) {
  int64_t kept = 0;
  if (broken == dataset->count)
    return fail_broken(all, broken);
  for (int64_t i = 0; i < dataset->count; i++) {
    const finding *f = &all->findings[i];
    if (f->status == ISCP_OK) {
      char *path = dataset->paths[i];
      dataset->paths[i] = dataset->paths[kept];
      dataset->paths[kept] = path;
      dataset->labels[kept++] = dataset->labels[i];
      continue;
    }
    ISC_TRY(isc_dataset_add_broken(dataset, dataset->paths[i] + dataset->root_length, f->reason));
  }
  isc_log(dataset->context, ISCP_LOG_WARNING, "%lld of %lld pictures are broken and left out; the first: %s",
          (long long)broken, (long long)dataset->count, first_broken(all)->reason);
  dataset->count = kept;
  return ISCP_OK;
}

static iscp_status judge(iscp_dataset *dataset, inspection *all, bool skip) {
  int64_t broken;
  ISC_TRY(count_broken(&broken, all));
  for (int64_t i = 0; i < dataset->count; i++)
    if (all->findings[i].status == ISCP_OK)
      note_size(dataset, &all->findings[i]);
  if (!broken)
    return ISCP_OK;
  return skip ? leave_out(dataset, all, broken) : fail_broken(all, broken);
}

/* One picture is decoded in any case: a contract that does not fit shows in the first. */
static iscp_status try_first(iscp_dataset *dataset) {
  finding first = {0};
  ISC_TRY(decode(&first, dataset, 0));
  note_size(dataset, &first);
  return ISCP_OK;
}

iscp_status isc_dataset_verify(iscp_dataset *dataset, const iscp_dataset_options *options) {
  int64_t count = dataset->count;
  inspection all = {.dataset = dataset};
  all.findings = isc_calloc(dataset->context, (size_t)count, sizeof *all.findings);
  if (!all.findings)
    return ISCP_ERROR_MEMORY;
  isc_progress progress;
  isc_progress_begin(&progress, options->skip_broken ? "check" : "look", count, options->progress, options->user);
  iscp_status status =
      isc_workers_run(dataset->context, count, options->skip_broken ? try : look, &all, &progress);
  if (status == ISCP_OK)
    status = judge(dataset, &all, options->skip_broken);
  for (int64_t i = 0; i < count; i++)
    isc_free(dataset->context, all.findings[i].reason);
  isc_free(dataset->context, all.findings);
  return status == ISCP_OK && !options->skip_broken ? try_first(dataset) : status;
}
