/* Archives (zip, tar.gz) by way of libarchive: regular entries, in one pass, with every checksum looked at. */
#ifndef ISC_FORMAT_ARCHIVE_H
#define ISC_FORMAT_ARCHIVE_H

#include "format/reader.h"

typedef struct isc_archive isc_archive;

/* The entry that a pass stands at. `name` lives until the next step. */
typedef struct isc_archive_entry {
  const char *name; /* NULL after the last entry */
  int64_t size;     /* inflated, as the directory of the archive says; not to be trusted before isc_archive_read */
} isc_archive_entry;

/* Starts a pass over the regular entries, in the order of the file. Directories are passed over; an encrypted entry is
 * ISCP_ERROR_UNSUPPORTED. The source outlives the pass. */
iscp_status isc_archive_open(isc_archive **out, const iscp_context *context, const isc_source *source);
iscp_status isc_archive_next(isc_archive *archive, isc_archive_entry *entry);

/* The same over a gzipped tar, which has no directory: the size of an entry is what its own header says, and links and
 * devices are refused. */
iscp_status isc_archive_open_tar_gzip(isc_archive **out, const iscp_context *context, const isc_source *source);

/* Reads up to `size` further bytes of the entry; *got is less only at its end, where the checksum was right. */
iscp_status isc_archive_take(isc_archive *archive, void *dst, size_t size, size_t *got);

/* Reads the whole entry, which must be of exactly `size` bytes. */
iscp_status isc_archive_read(isc_archive *archive, void *dst, size_t size);
void isc_archive_close(isc_archive *archive); /* takes NULL */

#endif
