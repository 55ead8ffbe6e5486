/* Datasets: one immutable, reference-counted object over an array, in memory or in a file, or a list of files.
 *
 * open.c and one file a kind of source find the images and their labels; here the object lives, and stored pictures become
 * network input one by one, by way of the loader if they are not in memory. What a dataset tells never changes after
 * opening, so that any number of threads may read. */
#include "data/dataset.h"

#include <string.h>

enum { DEFAULT_MEMORY = 256 << 20 };

/* What the struct was before `borrow`. */
#define FIRST_SIZE offsetof(iscp_dataset_options, borrow)

static const iscp_dataset_options defaults = {.struct_size = sizeof(iscp_dataset_options)};

iscp_status iscp_dataset_options_init(iscp_dataset_options *options, uint32_t struct_size) {
  return isc_options_init(options, struct_size, &defaults, sizeof defaults, FIRST_SIZE, "iscp_dataset_options");
}

static iscp_status check_flag(const char *name, int32_t value, int32_t most) {
  if (value < 0 || value > most)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is %d, expected 0 to %d", name, value, most);
  return ISCP_OK;
}

static iscp_status check_options(const iscp_dataset_options *options) {
  if (options->classes < 0 || options->classes > ISC_LARGEST_CLASSES)
    return isc_fail(ISCP_ERROR_ARGUMENT, "classes is %d, expected 0 to %d", options->classes, ISC_LARGEST_CLASSES);
  if (options->limit < 0)
    return isc_fail(ISCP_ERROR_ARGUMENT, "limit is %lld, expected 0 or more", (long long)options->limit);
  if (options->memory < -1)
    return isc_fail(ISCP_ERROR_ARGUMENT, "memory is %lld, expected -1 or more", (long long)options->memory);
  ISC_TRY(check_flag("borrow", options->borrow, 1));
  ISC_TRY(check_flag("layout", options->layout, ISCP_LAYOUT_NCHW));
  return check_flag("skip_broken", options->skip_broken, 1);
}

iscp_status isc_dataset_begin(iscp_dataset **out, iscp_dataset_options *options, const iscp_context *context,
                              const iscp_dataset_options *given) {
  iscp_contract contract = {0};
  ISC_TRY(isc_options_read(options, &defaults, sizeof defaults, FIRST_SIZE, given, "iscp_dataset_options"));
  ISC_TRY(check_options(options));
  if (options->contract)
    ISC_TRY(isc_contract_read(&contract, options->contract));
  iscp_dataset *dataset = isc_calloc(context, 1, sizeof *dataset);
  if (!dataset)
    return ISCP_ERROR_MEMORY;
  atomic_init(&dataset->references, 1);
  pthread_mutex_init(&dataset->hash_lock, NULL);
  dataset->context = isc_context_hold(context);
  dataset->contract = contract;
  dataset->has_contract = options->contract != NULL;
  *out = dataset;
  return ISCP_OK;
}

int64_t isc_dataset_memory(const iscp_dataset_options *options) {
  return options->memory == 0 ? DEFAULT_MEMORY : options->memory < 0 ? 0 : options->memory;
}

iscp_status isc_dataset_fetch(isc_picture *picture, isc_tensor *holder, const iscp_dataset *dataset, int64_t index) {
  *holder = (isc_tensor){0};
  if (dataset->poisoning)
    return isc_poisoning_fetch(picture, holder, dataset, index);
  if (dataset->paths) {
    ISC_TRY(isc_read_image(holder, dataset->context, dataset->paths[index]));
    return isc_picture_describe(picture, holder, 0);
  }
  *picture = dataset->picture;
  if (picture->values) {
    picture->values = (const uint8_t *)picture->values + index * dataset->image_values;
    return ISCP_OK;
  }
  ISC_TRY(isc_tensor_create(holder, dataset->context, ISC_U8, 1, &dataset->image_values));
  picture->values = holder->data;
  return isc_file_read_at(dataset->file, dataset->file_offset + index * dataset->image_values, holder->data,
                          (size_t)dataset->image_values);
}

const char *isc_dataset_path(const iscp_dataset *dataset, int64_t index) {
  for (const isc_poisoning *p; (p = dataset->poisoning); dataset = p->before)
    index = p->places ? p->places[index] : index;
  return dataset->paths ? dataset->paths[index] : NULL;
}

/* Image `index` from where it is stored, past the loader (an isc_decode_fn). */
static iscp_status decode(void *image, isc_dtype dtype, int64_t index, const void *user) {
  const iscp_dataset *dataset = user;
  isc_tensor holder;
  isc_picture picture;
  iscp_status status = isc_dataset_fetch(&picture, &holder, dataset, index);
  if (status == ISCP_OK) {
    const char *path = isc_dataset_path(dataset, index);
    status = dtype == ISC_U8 ? isc_picture_pack(image, dataset->context, &dataset->contract, &picture)
                             : isc_picture_convert(image, dataset->context, &dataset->contract, &picture);
    if (status != ISCP_OK && path)
      status = isc_fail_in(status, path);
  }
  isc_tensor_release(&holder, dataset->context);
  return status;
}

iscp_status isc_dataset_load_ahead(iscp_dataset *dataset) {
  return isc_loader_create(&dataset->loader, dataset->context, dataset->count, isc_contract_numbers(&dataset->contract),
                           dataset->memory, decode, dataset);
}

iscp_status isc_dataset_end(iscp_dataset *dataset, const iscp_dataset_options *options) {
  if (!dataset->has_contract || dataset->picture.values || options->memory < 0)
    return ISCP_OK;
  dataset->memory = isc_dataset_memory(options);
  return isc_dataset_load_ahead(dataset);
}

iscp_dataset *isc_dataset_hold(const iscp_dataset *dataset) {
  iscp_dataset *held = (iscp_dataset *)dataset; /* the count is not part of what const promises */
  atomic_fetch_add(&held->references, 1);
  return held;
}

static void release_source(iscp_dataset *dataset) {
  const iscp_context *context = dataset->context;
  isc_loader_destroy(dataset->loader);
  isc_poisoning_destroy(dataset->poisoning, context);
  for (size_t i = 0; i < dataset->broken_count; i++) {
    isc_free(context, dataset->broken[i].name);
    isc_free(context, dataset->broken[i].reason);
  }
  isc_free(context, dataset->broken);
  isc_names_free(dataset->paths, dataset->path_count, context);
  isc_names_free(dataset->class_names, dataset->name_count, context);
  isc_tensor_release(&dataset->pixels, context);
  isc_file_close(dataset->file);
  isc_free(context, dataset->labels);
}

void iscp_dataset_destroy(iscp_dataset *dataset) {
  if (!dataset || atomic_fetch_sub(&dataset->references, 1) != 1)
    return;
  iscp_context *context = dataset->context;
  iscp_dataset *base = dataset->base;
  if (!base)
    release_source(dataset);
  pthread_mutex_destroy(&dataset->hash_lock);
  isc_free(context, dataset);
  iscp_dataset_destroy(base);
  isc_context_drop(context);
}

/* ---- What a dataset tells ---- */

static int has_image(const iscp_dataset *dataset, int64_t index) {
  return dataset && index >= 0 && index < dataset->count;
}

const iscp_context *isc_dataset_context(const iscp_dataset *dataset) { return dataset->context; }

int64_t iscp_dataset_count(const iscp_dataset *dataset) { return dataset ? dataset->count : 0; }

int32_t iscp_dataset_classes(const iscp_dataset *dataset) { return dataset ? dataset->classes : 0; }

int32_t iscp_dataset_label(const iscp_dataset *dataset, int64_t index) {
  return has_image(dataset, index) ? dataset->labels[index] : -1;
}

const iscp_contract *iscp_dataset_contract(const iscp_dataset *dataset) {
  return dataset && dataset->has_contract ? &dataset->contract : NULL;
}

const char *iscp_dataset_class_name(const iscp_dataset *dataset, int32_t index) {
  return dataset && index >= 0 && (size_t)index < dataset->name_count ? dataset->class_names[index] : NULL;
}

int64_t iscp_dataset_broken_count(const iscp_dataset *dataset) { return dataset ? (int64_t)dataset->broken_count : 0; }

static const isc_broken *broken_at(const iscp_dataset *dataset, int64_t index) {
  return index >= 0 && index < iscp_dataset_broken_count(dataset) ? &dataset->broken[index] : NULL;
}

const char *iscp_dataset_broken_name(const iscp_dataset *dataset, int64_t index) {
  const isc_broken *broken = broken_at(dataset, index);
  return broken ? broken->name : NULL;
}

const char *iscp_dataset_broken_reason(const iscp_dataset *dataset, int64_t index) {
  const isc_broken *broken = broken_at(dataset, index);
  return broken ? broken->reason : NULL;
}

iscp_status iscp_dataset_get_info(const iscp_dataset *dataset, iscp_dataset_info *info) {
  if (!dataset)
    return isc_fail(ISCP_ERROR_ARGUMENT, "dataset is NULL");
  iscp_dataset_info told = {
      .struct_size = sizeof told, .classes = dataset->classes, .images = dataset->count, .kind = dataset->kind,
      .broken = (int64_t)dataset->broken_count};
  bool is_array = dataset->picture.channels != 0;
  told.channels = (int32_t)dataset->picture.channels;
  told.height_low = (int32_t)(is_array ? dataset->picture.height : dataset->low[0]);
  told.height_high = (int32_t)(is_array ? dataset->picture.height : dataset->high[0]);
  told.width_low = (int32_t)(is_array ? dataset->picture.width : dataset->low[1]);
  told.width_high = (int32_t)(is_array ? dataset->picture.width : dataset->high[1]);
  return isc_output_write(info, &told, sizeof told, sizeof told, "iscp_dataset_info");
}

/* ---- Images ---- */

void isc_dataset_expect(const iscp_dataset *dataset, const int64_t *indices, int64_t count) {
  if (dataset->loader)
    isc_loader_expect(dataset->loader, indices, count);
}

iscp_status iscp_dataset_image(const iscp_dataset *dataset, int64_t index, float *image) {
  if (!dataset || !image)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is NULL", dataset ? "image" : "dataset");
  if (!has_image(dataset, index))
    return isc_fail(ISCP_ERROR_ARGUMENT, "index is %lld, expected 0 to %lld", (long long)index,
                    (long long)dataset->count - 1);
  if (!dataset->has_contract)
    return isc_fail(ISCP_ERROR_ARGUMENT, "the dataset was opened without an input contract, expected one for images");
  return dataset->loader ? isc_loader_image(dataset->loader, index, image) : decode(image, ISC_F32, index, dataset);
}
