/* What the tests of image sets share. */
#ifndef SETS_COMMON_H
#define SETS_COMMON_H

#include "support.h"

extern iscp_contract set_contract; /* what the options of set_options point to: side x side, else the defaults */

iscp_dataset_options set_options(int32_t side);

/* Opening `path` fails with `status`, leaves NULL, and names `word`. */
void set_refused(iscp_context *context, const char *path, const iscp_dataset_options *options, iscp_status status,
                 const char *word);

/* Opens with one allocation after the other failing, more than `least` of them, in a context of its own each time. */
void set_opens_without_memory(const char *path, const iscp_dataset_options *options, long least);

#endif
