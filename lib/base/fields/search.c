/* Tables of fields. What finds and judges patterns: searches, evaluations, checks, reports.
 *
 * One row a field, in the struct's order: iscp/fields.h says what the columns mean. What a row does not say is that there is no
 * bound, the default is 0, the values have no names, and the first version had it. */
#include "base/fields/table.h"

#include <iscp/check.h>
#include <iscp/evaluate.h>
#include <iscp/fields.h>
#include <iscp/report.h>
#include <iscp/run.h>
#include <iscp/search.h>

/* ---- Words ---- */

static const isc_word canvases[] = {
    {"positive", ISCP_CANVAS_POSITIVE}, {"negative", ISCP_CANVAS_NEGATIVE}, {"random", ISCP_CANVAS_RANDOM},
    {"white", ISCP_CANVAS_WHITE}, {"user", ISCP_CANVAS_USER}, {NULL, 0}};
static const isc_word cause_kinds[] = {
    {"none", ISCP_CAUSE_NONE}, {"scale", ISCP_CAUSE_SCALE}, {"order", ISCP_CAUSE_ORDER}, {"size", ISCP_CAUSE_SIZE},
    {"pictures", ISCP_CAUSE_PICTURES}, {"labels", ISCP_CAUSE_LABELS}, {NULL, 0}};
static const isc_word causes[] = {
    {"poor", ISCP_CAUSES_POOR}, {"always", ISCP_CAUSES_ALWAYS}, {"never", ISCP_CAUSES_NEVER}, {NULL, 0}};
static const isc_word images[] = {
    {"heldout", ISCP_IMAGES_HELDOUT}, {"all", ISCP_IMAGES_ALL}, {"searched", ISCP_IMAGES_SEARCHED}, {NULL, 0}};
static const isc_word measures[] = {
    {"selected", ISCP_MEASURE_SELECTED}, {"all", ISCP_MEASURE_ALL}, {"none", ISCP_MEASURE_NONE},
    {"compared", ISCP_MEASURE_COMPARED}, {NULL, 0}};
static const isc_word stages[] = {
    {"clean", ISCP_STAGE_CLEAN}, {"search", ISCP_STAGE_SEARCH}, {"measure", ISCP_STAGE_MEASURE}, {"write", ISCP_STAGE_WRITE},
    {"done", ISCP_STAGE_DONE}, {NULL, 0}};
static const isc_word presets[] = {
    {"paper", ISCP_PRESET_PAPER}, {"authors", ISCP_PRESET_AUTHORS}, {"predictive", ISCP_PRESET_PREDICTIVE}, {NULL, 0}};
static const isc_word alphas[] = {
    {"preset", ISCP_ALPHA_PRESET}, {"fixed", ISCP_ALPHA_FIXED}, {"auto", ISCP_ALPHA_AUTO}, {NULL, 0}};
static const isc_word selects[] = {
    {"preset", ISCP_SELECT_PRESET}, {"loss", ISCP_SELECT_LOSS}, {"power", ISCP_SELECT_POWER}, {NULL, 0}};
static const isc_word ties[] = {
    {"preset", ISCP_TIES_PRESET}, {"evidence", ISCP_TIES_EVIDENCE}, {"index", ISCP_TIES_INDEX}, {NULL, 0}};

/* ---- Structs ---- */

#define STRUCT iscp_canvas_result
static const isc_field canvas_result[] = {
    {FIELD(struct_size), .rules = ISCP_RULE_SIZE},
    {FIELD(kind), .words = canvases},
    {FIELD(image)}, {FIELD(alpha)}, {FIELD(loss)}, {FIELD(power)}, {FIELD(selected)}, {FIELD(saturated)}, {FIELD(zeros)},
    {FIELD(steps)}, {FIELD(canvas_steps)},
    {FIELD(reserved), .rules = ISCP_RULE_RESERVED},
};
const iscp_fields isc_canvas_result_fields = TABLE(canvas_result, steps);
#undef STRUCT

#define STRUCT iscp_cause
static const isc_field cause[] = {
    {FIELD(struct_size), .rules = ISCP_RULE_SIZE},
    {FIELD(kind), .words = cause_kinds},
    {FIELD(text)}, {FIELD(images)}, {FIELD(correct)}, {FIELD(accuracy)}, {FIELD(low)}, {FIELD(high)}, {FIELD(restores)},
    {FIELD(reserved), .rules = ISCP_RULE_RESERVED},
    {FIELD(contract)}, {FIELD(labels)},
};
const iscp_fields isc_cause_fields = TABLE(cause, labels);
#undef STRUCT

#define STRUCT iscp_check_class
static const isc_field check_class[] = {
    {FIELD(struct_size), .rules = ISCP_RULE_SIZE},
    {FIELD(confused)}, {FIELD(images)}, {FIELD(correct)}, {FIELD(predicted)}, {FIELD(accuracy)}, {FIELD(low)},
    {FIELD(high)}, {FIELD(precision)},
};
const iscp_fields isc_check_class_fields = TABLE(check_class, precision);
#undef STRUCT

#define STRUCT iscp_check_info
static const isc_field check_info[] = {
    {FIELD(struct_size), .rules = ISCP_RULE_SIZE},
    {FIELD(plausible)}, {FIELD(images)}, {FIELD(correct)}, {FIELD(accuracy)}, {FIELD(low)}, {FIELD(high)},
    {FIELD(plausible_from)}, {FIELD(classes)}, {FIELD(favourite)}, {FIELD(favourite_count)}, {FIELD(confusions)},
    {FIELD(causes)},
};
const iscp_fields isc_check_info_fields = TABLE(check_info, causes);
#undef STRUCT

#define STRUCT iscp_check_options
static const isc_field check_options[] = {
    {FIELD(struct_size), .rules = ISCP_RULE_SIZE},
    {FIELD(causes), BOUNDS(0, 2), .words = causes},
    {FIELD(sample), BOUNDS(0, INFINITY)},
    {FIELD(batch), BOUNDS(0, 4096)},
    {FIELD(reserved), .rules = ISCP_RULE_RESERVED},
};
const iscp_fields isc_check_options_fields = TABLE(check_options, reserved);
#undef STRUCT

#define STRUCT iscp_confusion
static const isc_field confusion[] = {
    {FIELD(struct_size), .rules = ISCP_RULE_SIZE},
    {FIELD(label)}, {FIELD(predicted)},
    {FIELD(reserved), .rules = ISCP_RULE_RESERVED},
    {FIELD(images)}, {FIELD(share)},
};
const iscp_fields isc_confusion_fields = TABLE(confusion, share);
#undef STRUCT

#define STRUCT iscp_evaluate_options
static const isc_field evaluate_options[] = {
    {FIELD(struct_size), .rules = ISCP_RULE_SIZE},
    {FIELD(images), .initial = ISCP_IMAGES_HELDOUT, BOUNDS(1, 3), .words = images},
    {FIELD(fraction), .initial = 0.2, BOUNDS(0, 1), .rules = ISCP_RULE_ABOVE},
    {FIELD(seed)},
    {FIELD(batch), BOUNDS(0, 4096)},
    {FIELD(reserved), .rules = ISCP_RULE_RESERVED},
};
const iscp_fields isc_evaluate_options_fields = TABLE(evaluate_options, reserved);
#undef STRUCT

#define STRUCT iscp_field
static const isc_field field[] = {
    {FIELD(struct_size), .rules = ISCP_RULE_SIZE},
    {FIELD(type)}, {FIELD(name)}, {FIELD(needs)}, {FIELD(unit)}, {FIELD(offset)}, {FIELD(count)}, {FIELD(initial)},
    {FIELD(low)}, {FIELD(high)}, {FIELD(rules)}, {FIELD(words)}, {FIELD(recorded)}, {FIELD(since)},
};
const iscp_fields isc_field_fields = TABLE(field, since);
#undef STRUCT

#define STRUCT iscp_power
static const isc_field power[] = {
    {FIELD(struct_size), .rules = ISCP_RULE_SIZE},
    {FIELD(target)}, {FIELD(nontarget)}, {FIELD(nontarget_hits)}, {FIELD(nontarget_clean)}, {FIELD(target_images)},
    {FIELD(target_correct)}, {FIELD(asr)}, {FIELD(asr_low)}, {FIELD(asr_high)}, {FIELD(accuracy)}, {FIELD(accuracy_low)},
    {FIELD(accuracy_high)}, {FIELD(pw)},
};
const iscp_fields isc_power_fields = TABLE(power, pw);
#undef STRUCT

#define STRUCT iscp_report_options
static const isc_field report_options[] = {
    {FIELD(struct_size), .rules = ISCP_RULE_SIZE},
    {FIELD(resume), BOUNDS(0, 1)},
    {FIELD(overwrite), BOUNDS(0, 1)},
    {FIELD(scale), BOUNDS(0, 64)},
    {FIELD(picture_size), .initial = 0.05, BOUNDS(0, 1), .rules = ISCP_RULE_ABOVE},
    {FIELD(images), .initial = ISCP_IMAGES_HELDOUT, BOUNDS(1, 3), .words = images},
    {FIELD(reserved), .rules = ISCP_RULE_RESERVED},
    {FIELD(sizes)},
    {FIELD(size_count), .initial = 5, BOUNDS(1, 32)},
    {FIELD(reserved2), .rules = ISCP_RULE_RESERVED},
};
const iscp_fields isc_report_options_fields = TABLE(report_options, reserved2);
#undef STRUCT

#define STRUCT iscp_run_info
static const isc_field run_info[] = {
    {FIELD(struct_size), .rules = ISCP_RULE_SIZE},
    {FIELD(stage), .words = stages},
    {FIELD(class_index)}, {FIELD(canvas)}, {FIELD(size)}, {FIELD(class_count)}, {FIELD(left)},
};
const iscp_fields isc_run_info_fields = TABLE(run_info, left);
#undef STRUCT

#define STRUCT iscp_run_options
static const isc_field run_options[] = {
    {FIELD(struct_size), .rules = ISCP_RULE_SIZE},
    {FIELD(measure), .initial = ISCP_MEASURE_SELECTED, BOUNDS(1, 4), .words = measures},
    {FIELD(search)}, {FIELD(report)},
};
const iscp_fields isc_run_options_fields = TABLE(run_options, report);
#undef STRUCT

#define STRUCT iscp_search_options
static const isc_field search_options[] = {
    {FIELD(struct_size), .rules = ISCP_RULE_SIZE},
    {FIELD(preset), .initial = ISCP_PRESET_PREDICTIVE, BOUNDS(1, 3), .words = presets, .recorded = 1},
    {FIELD(alpha_mode), BOUNDS(0, 2), .words = alphas, .recorded = 2},
    {FIELD(canvas_kinds), .initial = ISCP_CANVAS_POSITIVE, BOUNDS(1, 31), .rules = ISCP_RULE_BITS, .words = canvases,
     .recorded = 8},
    {FIELD(alpha), .initial = 0.2, BOUNDS(0, INFINITY), .rules = ISCP_RULE_BELOW, .recorded = 3},
    {FIELD(step), .initial = 0.02, BOUNDS(0, 1), .rules = ISCP_RULE_ABOVE, .recorded = 9},
    {FIELD(fraction), .initial = 0.2, BOUNDS(0, 1), .rules = ISCP_RULE_ABOVE, .recorded = 10},
    {FIELD(select_size), .initial = 0.05, BOUNDS(0, 1), .rules = ISCP_RULE_ABOVE, .recorded = 11},
    {FIELD(seed), .recorded = 12},
    {FIELD(canvases), .initial = 5, BOUNDS(1, 1000), .recorded = 13},
    {FIELD(epochs), .initial = 5, BOUNDS(1, 1000), .recorded = 14},
    {FIELD(batch), .initial = 4, BOUNDS(1, 1024), .recorded = 15},
    {FIELD(select), BOUNDS(0, 2), .words = selects, .recorded = 16},
    {FIELD(ties), BOUNDS(0, 2), .words = ties, .recorded = 17},
    {FIELD(lanes), BOUNDS(0, 256), .recorded = 18},
    {FIELD(class_count)},
    {FIELD(user_canvas_count), BOUNDS(0, 1000), .recorded = 20},
    {FIELD(classes)}, {FIELD(user_canvases)},
    {FIELD(pass_batch), BOUNDS(0, 4096), .recorded = 19},
    {FIELD(reserved), .rules = ISCP_RULE_RESERVED},
    {FIELD(min_accuracy), BOUNDS(-INFINITY, 1)},
    {FIELD(tv), BOUNDS(0, INFINITY), .rules = ISCP_RULE_BELOW, .recorded = 4},
    {FIELD(canvas_steps), BOUNDS(0, 1000), .recorded = 5},
    {FIELD(mask_steps), .initial = 5, BOUNDS(1, 1000), .recorded = 6},
    {FIELD(canvas_step), .initial = 2.0 / 255, BOUNDS(0, 1), .rules = ISCP_RULE_ABOVE, .recorded = 7},
};
const iscp_fields isc_search_options_fields = TABLE(search_options, reserved);
#undef STRUCT
