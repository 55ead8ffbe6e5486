/* libiscp: input-space class-wise patterns of image classifiers.
 *
 * The method is that of Zhao et al., "What Do Deep Nets Learn? Class-wise Patterns Revealed in the Input Space". A whole
 * run, errors aside (examples/first.c is the same with them):
 *
 *   iscp_context_create(&context, NULL);
 *   iscp_model_load(&model, context, "model.safetensors", NULL);
 *   iscp_dataset_options_init(&data_options, sizeof data_options);
 *   data_options.contract = iscp_model_contract(model);
 *   iscp_dataset_open(&data, context, "t10k-images-idx3-ubyte.gz", &data_options);
 *   iscp_search_create(&search, model, data, NULL);
 *   iscp_evaluation_create(&evaluation, model, data, NULL, NULL, NULL);
 *   while (iscp_search_next(search, &y, NULL, NULL) == ISCP_OK && y >= 0) {
 *     iscp_search_pattern(&pattern, search, y, iscp_search_selected(search, y), ISCP_CUT_SIZE, 0.05);
 *     iscp_evaluation_power(evaluation, pattern, &power, NULL, NULL);
 *     iscp_pattern_destroy(pattern);
 *   }
 *
 * Conventions, in every header: functions return an iscp_status, outputs come first and the callback with its user pointer
 * last; the caller destroys what it created; NULL is accepted by every _destroy; options structs are filled by their
 * _init, and NULL stands for the defaults. */
#ifndef ISCP_ISCP_H
#define ISCP_ISCP_H

#include <iscp/attack.h>
#include <iscp/check.h>
#include <iscp/context.h>
#include <iscp/contract.h>
#include <iscp/dataset.h>
#include <iscp/evaluate.h>
#include <iscp/explain.h>
#include <iscp/fields.h>
#include <iscp/invert.h>
#include <iscp/model.h>
#include <iscp/pattern.h>
#include <iscp/progress.h>
#include <iscp/report.h>
#include <iscp/run.h>
#include <iscp/search.h>
#include <iscp/status.h>
#include <iscp/train.h>
#include <iscp/trigger.h>
#include <iscp/version.h>

#endif
