/* The arrays of an entry: read back from the report's folder and cut into patterns. */
#include <string.h>

#include "report/report.h"

static iscp_status read_one(isc_tensor *array, const iscp_context *context, const char *folder, const char *name,
                            isc_dtype dtype, int32_t dims) {
  char *path = isc_path_join(context, folder, name);
  if (!path)
    return ISCP_ERROR_MEMORY;
  iscp_status status = isc_read_array(array, context, path);
  if (status == ISCP_OK && (array->dtype != dtype || array->dims != dims)) {
    status = isc_fail(ISCP_ERROR_FORMAT, "%s is %s of %d dimensions, expected %s of %d", path,
                      isc_dtype_name(array->dtype), array->dims, isc_dtype_name(dtype), dims);
    isc_tensor_release(array, context);
  }
  isc_free(context, path);
  return status;
}

/* All three have the same height and width, which fit int32_t. */
static iscp_status check(const isc_arrays *arrays, const char *folder, const isc_entry *entry) {
  const int64_t *mask = arrays->mask.shape, *evidence = arrays->evidence.shape, *canvas = arrays->canvas.shape;
  if (mask[0] < 1 || mask[1] < 1 || mask[0] > 4096 || mask[1] > 4096)
    return isc_fail(ISCP_ERROR_FORMAT, "%s/%s is %lldx%lld, expected 1 to 4096 each way", folder, entry->mask,
                    (long long)mask[0], (long long)mask[1]);
  if (evidence[0] != mask[0] || evidence[1] != mask[1])
    return isc_fail(ISCP_ERROR_MISMATCH, "%s/%s is %lldx%lld, expected %lldx%lld as %s", folder, entry->evidence,
                    (long long)evidence[0], (long long)evidence[1], (long long)mask[0], (long long)mask[1],
                    entry->mask);
  if ((canvas[0] != 1 && canvas[0] != 3) || canvas[1] != mask[0] || canvas[2] != mask[1])
    return isc_fail(ISCP_ERROR_MISMATCH, "%s/%s is %lldx%lldx%lld, expected 1 or 3 channels of %lldx%lld", folder,
                    entry->colours, (long long)canvas[0], (long long)canvas[1], (long long)canvas[2],
                    (long long)mask[0], (long long)mask[1]);
  return ISCP_OK;
}

iscp_status isc_arrays_read(isc_arrays *arrays, const iscp_context *context, const char *folder,
                            const isc_entry *entry) {
  memset(arrays, 0, sizeof *arrays);
  iscp_status status = ISCP_OK;
  ISC_TRY_OR_DONE(read_one(&arrays->mask, context, folder, entry->mask, ISC_F32, 2));
  ISC_TRY_OR_DONE(read_one(&arrays->evidence, context, folder, entry->evidence, ISC_I32, 2));
  ISC_TRY_OR_DONE(read_one(&arrays->canvas, context, folder, entry->colours, ISC_F32, 3));
  ISC_TRY_OR_DONE(check(arrays, folder, entry));
done:
  if (status != ISCP_OK)
    isc_arrays_release(arrays, context);
  return status;
}

void isc_arrays_release(isc_arrays *arrays, const iscp_context *context) {
  isc_tensor_release(&arrays->mask, context);
  isc_tensor_release(&arrays->evidence, context);
  isc_tensor_release(&arrays->canvas, context);
}

iscp_status isc_arrays_cut(iscp_pattern **out, const iscp_context *context, const isc_arrays *arrays,
                           int32_t class_index, int32_t cut_kind, double cut, int32_t ties) {
  const int64_t *shape = arrays->canvas.shape;
  /* A pattern holds its context, which const does not promise against. */
  return iscp_pattern_create(out, (iscp_context *)context, arrays->mask.data, arrays->evidence.data,
                             arrays->canvas.data, (int32_t)shape[0], (int32_t)shape[1], (int32_t)shape[2], class_index,
                             cut_kind, cut, ties);
}
