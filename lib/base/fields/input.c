/* Tables of fields. What images and networks are: contexts, contracts, models, datasets, triggers, patterns.
 *
 * One row a field, in the struct's order: iscp/fields.h says what the columns mean. What a row does not say is that there is no
 * bound, the default is 0, the values have no names, and the first version had it. */
#include "base/fields/table.h"

#include <iscp/context.h>
#include <iscp/contract.h>
#include <iscp/dataset.h>
#include <iscp/model.h>
#include <iscp/pattern.h>
#include <iscp/progress.h>
#include <iscp/trigger.h>

/* ---- Words ---- */

static const isc_word backends[] = {
    {"auto", ISCP_BACKEND_AUTO}, {"onednn", ISCP_BACKEND_ONEDNN}, {"blas", ISCP_BACKEND_BLAS}, {NULL, 0}};
static const isc_word log_levels[] = {
    {"error", ISCP_LOG_ERROR}, {"warning", ISCP_LOG_WARNING}, {"info", ISCP_LOG_INFO}, {"debug", ISCP_LOG_DEBUG},
    {NULL, 0}};
static const isc_word convolutions[] = {{"direct", ISCP_CONVOLUTIONS_DIRECT}, {"fast", ISCP_CONVOLUTIONS_FAST}, {NULL, 0}};
static const isc_word precisions[] = {{"f32", ISCP_PRECISION_F32}, {"bf16", ISCP_PRECISION_BF16}, {NULL, 0}};
static const isc_word filters[] = {{"bilinear", ISCP_FILTER_BILINEAR}, {"bicubic", ISCP_FILTER_BICUBIC}, {NULL, 0}};
static const isc_word crop_rules[] = {{"even", ISCP_CROP_EVEN}, {"floor", ISCP_CROP_FLOOR}, {NULL, 0}};
static const isc_word orders[] = {{"RGB", ISCP_ORDER_RGB}, {"BGR", ISCP_ORDER_BGR}, {NULL, 0}};
static const isc_word layouts[] = {
    {"auto", ISCP_LAYOUT_AUTO}, {"nhwc", ISCP_LAYOUT_NHWC}, {"nchw", ISCP_LAYOUT_NCHW}, {NULL, 0}};
static const isc_word stems[] = {{"imagenet", ISCP_STEM_IMAGENET}, {"cifar", ISCP_STEM_CIFAR}, {NULL, 0}};
static const isc_word strides[] = {{"3x3", ISCP_STRIDE_3X3}, {"1x1", ISCP_STRIDE_1X1}, {NULL, 0}};
static const isc_word patterns[] = {{"replace", ISCP_PATTERN_REPLACE}, {"add", ISCP_PATTERN_ADD}, {NULL, 0}};
static const isc_word poisons[] = {
    {"all", ISCP_POISON_ALL}, {"only", ISCP_POISON_ONLY}, {"stamp", ISCP_POISON_STAMP}, {NULL, 0}};
static const isc_word corners[] = {
    {"bottom_right", ISCP_CORNER_BOTTOM_RIGHT}, {"bottom_left", ISCP_CORNER_BOTTOM_LEFT},
    {"top_right", ISCP_CORNER_TOP_RIGHT}, {"top_left", ISCP_CORNER_TOP_LEFT}, {NULL, 0}};

/* ---- Structs ---- */

#define STRUCT iscp_context_options
static const isc_field context_options[] = {
    {FIELD(struct_size), .rules = ISCP_RULE_SIZE},
    {FIELD(threads), BOUNDS(0, 1024)},
    {FIELD(backend), BOUNDS(0, 2), .words = backends},
    {FIELD(log_level), .initial = ISCP_LOG_WARNING, .words = log_levels},
    {FIELD(log)}, {FIELD(log_user)}, {FIELD(allocate)}, {FIELD(release)}, {FIELD(allocator_user)},
    {FIELD(memory), BOUNDS(0, INFINITY), .unit = "bytes"},
    {FIELD(convolutions), BOUNDS(0, 1), .words = convolutions},
    {FIELD(precision), BOUNDS(0, 1), .words = precisions},
};
const iscp_fields isc_context_options_fields = TABLE(context_options, precision);
#undef STRUCT

#define STRUCT iscp_contract
static const isc_field contract[] = {
    {FIELD(struct_size), .rules = ISCP_RULE_SIZE},
    {FIELD(channels), .initial = 3, BOUNDS(1, 3)},
    {FIELD(height), .initial = 224, BOUNDS(8, 4096)},
    {FIELD(width), .initial = 224, BOUNDS(8, 4096)},
    {FIELD(pad_top), BOUNDS(0, 1024)},
    {FIELD(pad_bottom), BOUNDS(0, 1024)},
    {FIELD(pad_left), BOUNDS(0, 1024)},
    {FIELD(pad_right), BOUNDS(0, 1024)},
    {NUMBERS(mean, 3), BOUNDS(-INFINITY, INFINITY), .rules = ISCP_RULE_ABOVE | ISCP_RULE_BELOW},
    {NUMBERS(std, 3), .initial = 1, BOUNDS(0, INFINITY), .rules = ISCP_RULE_ABOVE | ISCP_RULE_BELOW},
    {FIELD(resize_short), BOUNDS(0, 4096)},
    {FIELD(resize_height), BOUNDS(0, 4096)},
    {FIELD(resize_width), BOUNDS(0, 4096)},
    {FIELD(filter), BOUNDS(0, 1), .words = filters},
    {FIELD(crop_height), BOUNDS(0, 4096)},
    {FIELD(crop_width), BOUNDS(0, 4096)},
    {FIELD(crop_rule), BOUNDS(0, 1), .words = crop_rules},
    {FIELD(order), BOUNDS(0, 1), .words = orders},
    {FIELD(range), .initial = 1, BOUNDS(1, 255)},
};
const iscp_fields isc_contract_fields = TABLE(contract, std);
#undef STRUCT

#define STRUCT iscp_dataset_info
static const isc_field dataset_info[] = {
    {FIELD(struct_size), .rules = ISCP_RULE_SIZE},
    {FIELD(classes)}, {FIELD(images)}, {FIELD(broken)}, {FIELD(kind)}, {FIELD(channels)},
    {FIELD(reserved), .rules = ISCP_RULE_RESERVED},
    {FIELD(height_low)}, {FIELD(height_high)}, {FIELD(width_low)}, {FIELD(width_high)},
};
const iscp_fields isc_dataset_info_fields = TABLE(dataset_info, width_high);
#undef STRUCT

#define STRUCT iscp_dataset_options
static const isc_field dataset_options[] = {
    {FIELD(struct_size), .rules = ISCP_RULE_SIZE},
    {FIELD(classes), BOUNDS(0, 1048576)},
    {FIELD(contract)}, {FIELD(labels)}, {FIELD(split)},
    {FIELD(limit), BOUNDS(0, INFINITY)},
    {FIELD(borrow), BOUNDS(0, 1)},
    {FIELD(layout), BOUNDS(0, 2), .words = layouts},
    {FIELD(skip_broken), BOUNDS(0, 1)},
    {FIELD(reserved), .rules = ISCP_RULE_RESERVED},
    {FIELD(memory), BOUNDS(-1, INFINITY), .unit = "bytes"},
    {FIELD(progress)}, {FIELD(user)},
};
const iscp_fields isc_dataset_options_fields = TABLE(dataset_options, limit);
#undef STRUCT

#define STRUCT iscp_model_info
static const isc_field model_info[] = {
    {FIELD(struct_size), .rules = ISCP_RULE_SIZE},
    {FIELD(depth)}, {FIELD(width)},
    {FIELD(stem), .words = stems},
    {FIELD(classes)}, {FIELD(channels)}, {FIELD(parameters)}, {FIELD(multiply_adds)}, {FIELD(planes)}, {FIELD(inner)},
    {FIELD(stride), .words = strides},
    {FIELD(reserved), .rules = ISCP_RULE_RESERVED},
};
const iscp_fields isc_model_info_fields = TABLE(model_info, multiply_adds);
#undef STRUCT

#define STRUCT iscp_model_options
static const isc_field model_options[] = {
    {FIELD(struct_size), .rules = ISCP_RULE_SIZE},
    {FIELD(class_count)}, {FIELD(contract)}, {FIELD(class_names)}, {FIELD(state_dict)},
    {FIELD(stride), BOUNDS(0, 2), .words = strides},
    {FIELD(reserved), .rules = ISCP_RULE_RESERVED},
};
const iscp_fields isc_model_options_fields = TABLE(model_options, class_names);
#undef STRUCT

#define STRUCT iscp_pattern_info
static const isc_field pattern_info[] = {
    {FIELD(struct_size), .rules = ISCP_RULE_SIZE},
    {FIELD(target)}, {FIELD(channels)}, {FIELD(height)}, {FIELD(width)}, {FIELD(pixels)}, {FIELD(tied)},
    {FIELD(tied_kept)},
    {FIELD(kind), .words = patterns},
};
const iscp_fields isc_pattern_info_fields = TABLE(pattern_info, tied_kept);
#undef STRUCT

#define STRUCT iscp_poison_options
static const isc_field poison_options[] = {
    {FIELD(struct_size), .rules = ISCP_RULE_SIZE},
    {FIELD(target), .initial = -1},
    {FIELD(rate), .initial = 0.05, BOUNDS(0, 1), .rules = ISCP_RULE_ABOVE},
    {FIELD(seed)},
    {FIELD(keep), BOUNDS(0, 2), .words = poisons},
    {FIELD(reserved), .rules = ISCP_RULE_RESERVED},
};
const iscp_fields isc_poison_options_fields = TABLE(poison_options, reserved);
#undef STRUCT

#define STRUCT iscp_progress
static const isc_field progress[] = {
    {FIELD(struct_size), .rules = ISCP_RULE_SIZE},
    {FIELD(reserved), .rules = ISCP_RULE_RESERVED},
    {FIELD(stage)}, {FIELD(done)}, {FIELD(total)},
};
const iscp_fields isc_progress_fields = TABLE(progress, total);
#undef STRUCT

#define STRUCT iscp_trigger_info
static const isc_field trigger_info[] = {
    {FIELD(struct_size), .rules = ISCP_RULE_SIZE},
    {FIELD(height)}, {FIELD(width)},
    {FIELD(corner), .words = corners},
    {FIELD(offset_y)}, {FIELD(offset_x)},
};
const iscp_fields isc_trigger_info_fields = TABLE(trigger_info, offset_x);
#undef STRUCT

#define STRUCT iscp_trigger_options
static const isc_field trigger_options[] = {
    {FIELD(struct_size), .rules = ISCP_RULE_SIZE},
    {FIELD(corner), BOUNDS(0, 3), .words = corners},
    {FIELD(offset_y), .initial = 1, BOUNDS(0, 4096)},
    {FIELD(offset_x), .initial = 1, BOUNDS(0, 4096)},
};
const iscp_fields isc_trigger_options_fields = TABLE(trigger_options, offset_x);
#undef STRUCT
