/* What a path is, and the images that it holds: for lib/data only. One file a kind of set finds the pictures and their labels,
 * and makes images of a source (source.h) of them. `options` are in range, with a whole contract or NULL. */
#ifndef ISC_DATA_OPEN_H
#define ISC_DATA_OPEN_H

#include "data/source/source.h"

/* Whatever `path` is (open.c). */
iscp_status isc_images_open(isc_images **out, const iscp_context *context, const char *path,
                            const iscp_dataset_options *options);

/* Arrays by name in one file (npz.c). */
iscp_status isc_open_npz(isc_images **out, const iscp_context *context, const char *path,
                         const iscp_dataset_options *options);

/* CIFAR's binary edition, a directory or the archive (cifar.c). *out is NULL if a directory is none. */
iscp_status isc_open_cifar_directory(isc_images **out, const iscp_context *context, const char *path,
                                     const iscp_dataset_options *options);
iscp_status isc_open_cifar_archive(isc_images **out, const iscp_context *context, const char *path,
                                   const iscp_dataset_options *options);

/* A folder of class folders of pictures (folder.c). */
iscp_status isc_open_folder(isc_images **out, const iscp_context *context, const char *path,
                            const iscp_dataset_options *options);

/* A folder of pictures with a table of labels (list.c). *table of isc_find_table is NULL if none is there. */
iscp_status isc_open_list(isc_images **out, const iscp_context *context, const char *path, const char *table,
                          const iscp_dataset_options *options);
iscp_status isc_find_table(char **table, const iscp_context *context, const char *folder);
bool isc_is_table_name(const char *name);

/* Once all files are listed (verify.c): by the option, looks at the first bytes of all, or decodes all and leaves out those
 * that fail. */
iscp_status isc_files_verify(isc_images *images, const iscp_dataset_options *options);

#endif
