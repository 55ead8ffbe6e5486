/* Datasets: one immutable, reference-counted object, which shows images, wherever they are stored, through an input contract.
 *
 * create.c makes them; here the object lives, tells what it is, and brings stored pictures into network input one by one, by way
 * of the loader if they are not in memory. What a dataset tells never changes after opening, so that any number of threads may
 * read. */
#include "data/dataset.h"

/* ---- Life ---- */

iscp_status isc_dataset_create(iscp_dataset **out, const iscp_context *context, isc_images *images,
                               const iscp_contract *contract) {
  iscp_dataset *dataset = isc_calloc(context, 1, sizeof *dataset);
  if (!dataset) {
    isc_images_drop(images);
    return ISCP_ERROR_MEMORY;
  }
  atomic_init(&dataset->references, 1);
  dataset->context = isc_context_hold(context);
  dataset->images = images;
  dataset->has_contract = contract != NULL;
  if (contract)
    dataset->contract = *contract;
  *out = dataset;
  return ISCP_OK;
}

iscp_dataset *isc_dataset_hold(const iscp_dataset *dataset) {
  iscp_dataset *held = (iscp_dataset *)dataset; /* the count is not part of what const promises */
  atomic_fetch_add(&held->references, 1);
  return held;
}

void iscp_dataset_destroy(iscp_dataset *dataset) {
  if (!dataset || atomic_fetch_sub(&dataset->references, 1) != 1)
    return;
  iscp_context *context = dataset->context;
  isc_loader_destroy(dataset->loader); /* its threads ask for the images */
  isc_images_drop(dataset->images);
  isc_free(context, dataset);
  isc_context_drop(context);
}

/* ---- What a dataset tells ---- */

static int has_image(const iscp_dataset *dataset, int64_t index) {
  return dataset && index >= 0 && index < dataset->images->count;
}

const iscp_context *isc_dataset_context(const iscp_dataset *dataset) { return dataset->context; }

int64_t iscp_dataset_count(const iscp_dataset *dataset) { return dataset ? dataset->images->count : 0; }

int32_t iscp_dataset_classes(const iscp_dataset *dataset) { return dataset ? dataset->images->classes : 0; }

int32_t iscp_dataset_label(const iscp_dataset *dataset, int64_t index) {
  return has_image(dataset, index) ? dataset->images->labels[index] : -1;
}

int32_t iscp_dataset_poisoned(const iscp_dataset *dataset, int64_t index) {
  return has_image(dataset, index) ? isc_images_poisoned(dataset->images, index) : -1;
}

const iscp_contract *iscp_dataset_contract(const iscp_dataset *dataset) {
  return dataset && dataset->has_contract ? &dataset->contract : NULL;
}

const char *iscp_dataset_class_name(const iscp_dataset *dataset, int32_t index) {
  return dataset && index >= 0 && (size_t)index < dataset->images->name_count ? dataset->images->class_names[index] : NULL;
}

iscp_status isc_dataset_hash(const char **hash, const iscp_dataset *dataset) {
  return isc_images_hash(hash, dataset->images);
}

const char *iscp_dataset_hash(const iscp_dataset *dataset) {
  const char *hash = NULL;
  return dataset && isc_dataset_hash(&hash, dataset) == ISCP_OK ? hash : NULL;
}

int64_t iscp_dataset_broken_count(const iscp_dataset *dataset) {
  return dataset ? (int64_t)dataset->images->broken_count : 0;
}

static const isc_broken *broken_at(const iscp_dataset *dataset, int64_t index) {
  return index >= 0 && index < iscp_dataset_broken_count(dataset) ? &dataset->images->broken[index] : NULL;
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
  const isc_images *images = dataset->images;
  iscp_dataset_info told = {
      .struct_size = sizeof told, .classes = images->classes, .images = images->count, .kind = images->kind,
      .broken = (int64_t)images->broken_count};
  bool is_array = images->layout.channels != 0;
  told.channels = (int32_t)images->layout.channels;
  told.height_low = (int32_t)(is_array ? images->layout.height : images->low[0]);
  told.height_high = (int32_t)(is_array ? images->layout.height : images->high[0]);
  told.width_low = (int32_t)(is_array ? images->layout.width : images->low[1]);
  told.width_high = (int32_t)(is_array ? images->layout.width : images->high[1]);
  return isc_fields_write(info, &isc_dataset_info_fields, &told);
}

/* ---- Images ---- */

/* Image `index` from where it is stored, past the loader (an isc_decode_fn). */
static iscp_status decode(void *image, isc_dtype dtype, int64_t index, const void *user) {
  const iscp_dataset *dataset = user;
  isc_tensor holder;
  isc_picture picture;
  iscp_status status = isc_images_fetch(&picture, &holder, dataset->images, index);
  if (status == ISCP_OK) {
    const char *path = isc_images_path(dataset->images, index);
    status = dtype == ISC_U8 ? isc_picture_pack(image, dataset->context, &dataset->contract, &picture)
                             : isc_picture_convert(image, dataset->context, &dataset->contract, &picture);
    if (status != ISCP_OK && path)
      status = isc_fail_in(status, path);
  }
  isc_tensor_release(&holder, dataset->context);
  return status;
}

iscp_status isc_dataset_load_ahead(iscp_dataset *dataset, int64_t memory) {
  dataset->memory = memory;
  return isc_loader_create(&dataset->loader, dataset->context, dataset->images->count,
                           isc_contract_numbers(&dataset->contract), memory, decode, dataset);
}

void isc_dataset_expect(const iscp_dataset *dataset, const int64_t *indices, int64_t count) {
  if (dataset->loader)
    isc_loader_expect(dataset->loader, indices, count);
}

iscp_status iscp_dataset_image(const iscp_dataset *dataset, int64_t index, float *image) {
  if (!dataset || !image)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is NULL", dataset ? "image" : "dataset");
  if (!has_image(dataset, index))
    return isc_fail(ISCP_ERROR_ARGUMENT, "index is %lld, expected 0 to %lld", (long long)index,
                    (long long)dataset->images->count - 1);
  if (!dataset->has_contract)
    return isc_fail(ISCP_ERROR_ARGUMENT, "the dataset was opened without an input contract, expected one for images");
  return dataset->loader ? isc_loader_image(dataset->loader, index, image) : decode(image, ISC_F32, index, dataset);
}
