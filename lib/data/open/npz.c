/* Datasets of one .npz: which of its arrays are the images and which the labels, by the names that people use. There is no
 * convention but those names; what they leave open is an error that lists what is there, never a guess. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "data/open/open.h"

typedef struct name_pair {
  const char *images, *labels;
} name_pair;

/* Without a split in the name. */
static const name_pair plain[] = {
    {"images", "labels"}, {"x", "y"}, {"data", "labels"}, {"data", "targets"}, {"image", "label"}, {"arr_0", "arr_1"},
};

/* With one: %s is train, test or val. */
static const name_pair of_split[] = {
    {"x_%s", "y_%s"}, {"%s_images", "%s_labels"}, {"%s_x", "%s_y"}, {"images_%s", "labels_%s"}, {"%s_data", "%s_labels"},
};
enum { PLAIN = sizeof plain / sizeof *plain, OF_SPLIT = sizeof of_split / sizeof *of_split };

typedef struct found_pair {
  int images, labels; /* entries of the file, or -1 */
} found_pair;

static int find_name(const isc_npz *npz, const char *name) {
  for (size_t i = 0; i < npz->count; i++)
    if (!strcasecmp(npz->names[i], name))
      return (int)i;
  return -1;
}

static bool find_pair(found_pair *found, const isc_npz *npz, const char *images, const char *labels) {
  *found = (found_pair){find_name(npz, images), find_name(npz, labels)};
  return found->images >= 0 && found->labels >= 0;
}

static bool find_split(found_pair *found, const isc_npz *npz, const char *split) {
  for (int i = 0; i < OF_SPLIT; i++) {
    char images[64], labels[64];
    int part = (int)strlen(split);
    /* The patterns are our own: one %s each. */
    const char *hole = strstr(of_split[i].images, "%s"), *label_hole = strstr(of_split[i].labels, "%s");
    snprintf(images, sizeof images, "%.*s%.*s%s", (int)(hole - of_split[i].images), of_split[i].images, part, split,
             hole + 2);
    snprintf(labels, sizeof labels, "%.*s%.*s%s", (int)(label_hole - of_split[i].labels), of_split[i].labels, part, split,
             label_hole + 2);
    if (find_pair(found, npz, images, labels))
      return true;
  }
  return false;
}

static bool find_plain(found_pair *found, const isc_npz *npz) {
  for (int i = 0; i < PLAIN; i++)
    if (find_pair(found, npz, plain[i].images, plain[i].labels))
      return true;
  return false;
}

/* "images (10x28x28 uint8), labels (..)": what is there, for a message. */
static void list_names(char text[512], const isc_npz *npz) {
  size_t length = 0;
  text[0] = 0;
  for (size_t i = 0; i < npz->count && length < 400; i++) {
    char shape[ISC_SHAPE_TEXT];
    const isc_array_header *h = &npz->headers[i];
    int more = snprintf(text + length, 512 - length, "%s%.64s (%s)", i ? ", " : "", npz->names[i],
                        h->dtype ? isc_shape_text(shape, h->dims, h->shape) : "unreadable");
    length += more < 0 ? 0 : (size_t)more;
  }
}

/* The split asked for; without one test, else val, else the arrays without a split in their names. Training images never stand
 * in for others unasked. */
static iscp_status choose(found_pair *found, const isc_npz *npz, const char *path, const char *asked) {
  static const char *const spare[] = {"test", "val", "valid", "validation"};
  char names[512];
  bool good = false;
  if (asked) {
    good = find_split(found, npz, asked);
    for (int i = 2; !strcmp(asked, "val") && i < 4 && !good; i++)
      good = find_split(found, npz, spare[i]);
  }
  for (int i = 0; !asked && i < 4 && !good; i++)
    good = find_split(found, npz, spare[i]);
  if (!good && !asked)
    good = find_plain(found, npz);
  if (good)
    return ISCP_OK;
  list_names(names, npz);
  found_pair train;
  if (!asked && find_split(&train, npz, "train"))
    return isc_fail(ISCP_ERROR_IO, "%s: no split \"test\", only \"train\"", path);
  if (asked && find_plain(found, npz))
    return isc_fail(ISCP_ERROR_IO, "%s: no arrays of the split \"%s\", only %s", path, asked, names);
  return isc_fail(ISCP_ERROR_FORMAT, "%s: no images with labels among its arrays %s, expected x_%s and y_%s, %s_images and "
                  "%s_labels, or images and labels", path, *names ? names : "(none)", asked ? asked : "test",
                  asked ? asked : "test", asked ? asked : "test", asked ? asked : "test");
}

static iscp_status read_pair(isc_images **out, const iscp_context *context, const char *images, const char *labels,
                             const char *path, const iscp_dataset_options *options) {
  isc_tensor pixels = {0}, numbers = {0};
  iscp_status status;
  ISC_TRY_OR_DONE(isc_npz_read(&numbers, context, path, labels));
  ISC_TRY_OR_DONE(isc_npz_read(&pixels, context, path, images));
  isc_labelled array = {&pixels, &numbers, images, labels};
  status = isc_memory_create(out, context, &array, &pixels, options);
  if (status != ISCP_OK)
    status = isc_fail_in(status, path);
done:
  isc_tensor_release(&pixels, context);
  isc_tensor_release(&numbers, context);
  return status;
}

iscp_status isc_open_npz(isc_images **out, const iscp_context *context, const char *path,
                         const iscp_dataset_options *options) {
  isc_npz npz;
  found_pair found;
  if (options->labels)
    return isc_fail(ISCP_ERROR_ARGUMENT, "labels is \"%s\", expected NULL for %s, which holds its own", options->labels,
                    path);
  ISC_TRY(isc_npz_list(&npz, context, path));
  iscp_status status = choose(&found, &npz, path, options->split);
  if (status == ISCP_OK)
    status = read_pair(out, context, npz.names[found.images], npz.names[found.labels], path, options);
  if (status == ISCP_OK)
    (*out)->kind = "npz";
  isc_npz_release(&npz, context);
  return status;
}
