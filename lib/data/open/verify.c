/* Broken pictures of a dataset of files. Without the option skip_broken the first bytes of all are looked at when the set is
 * opened, so that a file of another kind, or an empty one, stops the work before it begins; damage further inside is met
 * where the picture is first decoded. With it all are decoded at once, and those that fail are left out, with their reasons. */
#include <string.h>

#include "data/open/open.h"
#include "data/workers.h"

/* What is known of each file. */
typedef struct finding {
  iscp_status status;
  char *reason; /* NULL where the file is good, or there was no memory */
  int64_t height, width;
} finding;

typedef struct inspection {
  const isc_images *images;
  const iscp_contract *contract; /* or NULL */
  finding *findings;
} inspection;

static void note_failure(finding *f, const isc_images *images, iscp_status status) {
  f->status = status;
  f->reason = isc_strdup(images->context, iscp_error_message());
}

static void look(void *user, int64_t item) {
  inspection *all = user;
  iscp_status status = isc_check_image(isc_images_path(all->images, item));
  if (status != ISCP_OK)
    note_failure(&all->findings[item], all->images, status);
}

/* Whether it fits the contract shows only when it is brought into network form. */
static iscp_status decode(finding *f, const inspection *all, int64_t item) {
  const isc_images *images = all->images;
  isc_tensor holder;
  isc_picture picture;
  uint8_t *image = NULL;
  iscp_status status;
  ISC_TRY_OR_DONE(isc_images_fetch(&picture, &holder, images, item));
  f->height = picture.height;
  f->width = picture.width;
  if (!all->contract)
    goto done;
  image = isc_alloc(images->context, (size_t)isc_contract_numbers(all->contract));
  if (!image)
    ISC_TRY_OR_DONE(ISCP_ERROR_MEMORY);
  status = isc_picture_pack(image, images->context, all->contract, &picture);
  if (status != ISCP_OK)
    status = isc_fail_in(status, isc_images_path(images, item));
done:
  isc_free(images->context, image);
  isc_tensor_release(&holder, images->context);
  return status;
}

static void try(void *user, int64_t item) {
  inspection *all = user;
  iscp_status status = decode(&all->findings[item], all, item);
  if (status != ISCP_OK)
    note_failure(&all->findings[item], all->images, status);
}

static void note_size(isc_images *images, const finding *f) {
  const int64_t sides[] = {f->height, f->width};
  for (int i = 0; i < 2 && f->height; i++) {
    images->low[i] = !images->low[i] || sides[i] < images->low[i] ? sides[i] : images->low[i];
    images->high[i] = sides[i] > images->high[i] ? sides[i] : images->high[i];
  }
}

/* Being out of memory says nothing of a file: the whole call fails. */
static iscp_status count_broken(int64_t *broken, const inspection *all) {
  *broken = 0;
  for (int64_t i = 0; i < all->images->count; i++) {
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
                    (long long)all->images->count);
  return isc_fail(first->status, "%s (the first of %lld broken pictures of %lld; skip_broken would leave them out)",
                  first->reason, (long long)broken, (long long)all->images->count);
}

/* Moves the broken ones out of the list; the others close up in their order. */
static iscp_status leave_out(isc_images *images, inspection *all, int64_t broken) {
  int64_t kept = 0;
  if (broken == images->count)
    return fail_broken(all, broken);
  for (int64_t i = 0; i < images->count; i++) {
    const finding *f = &all->findings[i];
    if (f->status == ISCP_OK) {
      isc_files_swap(images, i, kept++);
      continue;
    }
    ISC_TRY(isc_images_add_broken(images, isc_files_name(images, i), f->reason));
  }
  isc_log(images->context, ISCP_LOG_WARNING, "%lld of %lld pictures are broken and left out; the first: %s",
          (long long)broken, (long long)images->count, first_broken(all)->reason);
  images->count = kept;
  return ISCP_OK;
}

static iscp_status judge(isc_images *images, inspection *all, bool skip) {
  int64_t broken;
  ISC_TRY(count_broken(&broken, all));
  for (int64_t i = 0; i < images->count; i++)
    if (all->findings[i].status == ISCP_OK)
      note_size(images, &all->findings[i]);
  if (!broken)
    return ISCP_OK;
  return skip ? leave_out(images, all, broken) : fail_broken(all, broken);
}

/* One picture is decoded in any case: a contract that does not fit shows in the first. */
static iscp_status try_first(isc_images *images, const inspection *all) {
  finding first = {0};
  ISC_TRY(decode(&first, all, 0));
  note_size(images, &first);
  return ISCP_OK;
}

iscp_status isc_files_verify(isc_images *images, const iscp_dataset_options *options) {
  int64_t count = images->count;
  inspection all = {.images = images, .contract = options->contract};
  all.findings = isc_calloc(images->context, (size_t)count, sizeof *all.findings);
  if (!all.findings)
    return ISCP_ERROR_MEMORY;
  isc_progress progress;
  isc_progress_begin(&progress, options->skip_broken ? "check" : "look", count, options->progress, options->user);
  iscp_status status =
      isc_workers_run(images->context, count, options->skip_broken ? try : look, &all, &progress);
  if (status == ISCP_OK)
    status = judge(images, &all, options->skip_broken);
  for (int64_t i = 0; i < count; i++)
    isc_free(images->context, all.findings[i].reason);
  isc_free(images->context, all.findings);
  return status == ISCP_OK && !options->skip_broken ? try_first(images, &all) : status;
}
