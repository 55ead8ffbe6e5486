/* Tables of fields. What explains, attacks, trains and inverts.
 *
 * One row a field, in the struct's order: iscp/fields.h says what the columns mean. What a row does not say is that there is no
 * bound, the default is 0, the values have no names, and the first version had it. */
#include "base/fields/table.h"

#include <iscp/attack.h>
#include <iscp/explain.h>
#include <iscp/invert.h>
#include <iscp/train.h>

/* ---- Words ---- */

static const isc_word norms[] = {{"linf", ISCP_NORM_LINF}, {"l2", ISCP_NORM_L2}, {NULL, 0}};
static const isc_word inversions[] = {
    {"features", ISCP_INVERT_FEATURES}, {"random", ISCP_INVERT_RANDOM}, {"deterministic", ISCP_INVERT_DETERMINISTIC},
    {NULL, 0}};
static const isc_word schedules[] = {
    {"constant", ISCP_SCHEDULE_CONSTANT}, {"step", ISCP_SCHEDULE_STEP}, {"cosine", ISCP_SCHEDULE_COSINE},
    {"one_cycle", ISCP_SCHEDULE_ONE_CYCLE}, {NULL, 0}};
static const isc_word uaps[] = {{"sgd", ISCP_UAP_SGD}, {"deepfool", ISCP_UAP_DEEPFOOL}, {NULL, 0}};

/* ---- Structs ---- */

#define STRUCT iscp_attack_info
static const isc_field attack_info[] = {
    {FIELD(struct_size), .rules = ISCP_RULE_SIZE},
    {FIELD(reserved), .rules = ISCP_RULE_RESERVED},
    {FIELD(images)}, {FIELD(correct)}, {FIELD(robust)}, {FIELD(accuracy)}, {FIELD(low)}, {FIELD(high)},
    {FIELD(robust_accuracy)}, {FIELD(robust_low)}, {FIELD(robust_high)},
};
const iscp_fields isc_attack_info_fields = TABLE(attack_info, robust_high);
#undef STRUCT

#define STRUCT iscp_attack_options
static const isc_field attack_options[] = {
    {FIELD(struct_size), .rules = ISCP_RULE_SIZE},
    {FIELD(norm), .initial = ISCP_NORM_LINF, BOUNDS(1, 2), .words = norms},
    {FIELD(eps), BOUNDS(0, FLT_MAX)},
    {FIELD(step), BOUNDS(0, FLT_MAX)},
    {FIELD(steps), .initial = 20, BOUNDS(1, 10000)},
    {FIELD(random_start), .initial = 1, BOUNDS(0, 1)},
    {FIELD(targeted), BOUNDS(0, 1)},
    {FIELD(batch), BOUNDS(0, 4096)},
    {FIELD(seed)},
};
const iscp_fields isc_attack_options_fields = TABLE(attack_options, seed);
#undef STRUCT

#define STRUCT iscp_attention_shift
static const isc_field attention_shift[] = {
    {FIELD(struct_size), .rules = ISCP_RULE_SIZE},
    {FIELD(target)}, {FIELD(predicted_before)}, {FIELD(predicted_after)}, {FIELD(inside_before)}, {FIELD(inside_after)},
    {FIELD(area)},
};
const iscp_fields isc_attention_shift_fields = TABLE(attention_shift, area);
#undef STRUCT

#define STRUCT iscp_gradcam_info
static const isc_field gradcam_info[] = {
    {FIELD(struct_size), .rules = ISCP_RULE_SIZE},
    {FIELD(class_index)}, {FIELD(predicted)}, {FIELD(height)}, {FIELD(width)},
    {FIELD(reserved), .rules = ISCP_RULE_RESERVED},
    {FIELD(logit)}, {FIELD(maximum)},
};
const iscp_fields isc_gradcam_info_fields = TABLE(gradcam_info, maximum);
#undef STRUCT

#define STRUCT iscp_gradcam_options
static const isc_field gradcam_options[] = {
    {FIELD(struct_size), .rules = ISCP_RULE_SIZE},
    {FIELD(stage), .initial = 4, BOUNDS(1, 4)},
    {FIELD(reserved), .rules = ISCP_RULE_RESERVED},
};
const iscp_fields isc_gradcam_options_fields = TABLE(gradcam_options, reserved);
#undef STRUCT

#define STRUCT iscp_invert_info
static const isc_field invert_info[] = {
    {FIELD(struct_size), .rules = ISCP_RULE_SIZE},
    {FIELD(rows)}, {FIELD(images)}, {FIELD(done)}, {FIELD(taken)}, {FIELD(start_distance)}, {FIELD(distance)},
    {FIELD(stored_distance)}, {FIELD(memory)},
};
const iscp_fields isc_invert_info_fields = TABLE(invert_info, memory);
#undef STRUCT

#define STRUCT iscp_invert_options
static const isc_field invert_options[] = {
    {FIELD(struct_size), .rules = ISCP_RULE_SIZE},
    {FIELD(kind), .initial = ISCP_INVERT_FEATURES, BOUNDS(1, 3), .words = inversions},
    {FIELD(steps), BOUNDS(0, 1000000)},
    {FIELD(batch), BOUNDS(0, 4096)},
    {FIELD(step), .initial = 0.1, BOUNDS(0, FLT_MAX), .rules = ISCP_RULE_ABOVE},
    {FIELD(eps), .initial = 0.5, BOUNDS(0, FLT_MAX), .rules = ISCP_RULE_ABOVE},
    {FIELD(seed)},
    {FIELD(first), BOUNDS(0, INFINITY)},
    {FIELD(count), BOUNDS(0, INFINITY)},
};
const iscp_fields isc_invert_options_fields = TABLE(invert_options, count);
#undef STRUCT

#define STRUCT iscp_inverted
static const isc_field inverted[] = {
    {FIELD(struct_size), .rules = ISCP_RULE_SIZE},
    {FIELD(label)}, {FIELD(index)}, {FIELD(start)}, {FIELD(start_distance)}, {FIELD(distance)}, {FIELD(stored_distance)},
    {FIELD(predicted)},
    {FIELD(reserved), .rules = ISCP_RULE_RESERVED},
    {FIELD(image)}, {FIELD(stored)},
};
const iscp_fields isc_inverted_fields = TABLE(inverted, stored);
#undef STRUCT

#define STRUCT iscp_train_options
static const isc_field train_options[] = {
    {FIELD(struct_size), .rules = ISCP_RULE_SIZE},
    {FIELD(epochs), .initial = 3, BOUNDS(1, 100000), .recorded = 1},
    {FIELD(batch), .initial = 128, BOUNDS(2, 4096), .recorded = 2},
    {FIELD(schedule), .initial = ISCP_SCHEDULE_ONE_CYCLE, BOUNDS(1, 4), .words = schedules, .recorded = 3},
    {FIELD(learning_rate), .initial = 0.1, BOUNDS(0, FLT_MAX), .rules = ISCP_RULE_ABOVE, .recorded = 4},
    {FIELD(momentum), .initial = 0.9, BOUNDS(0, 1), .rules = ISCP_RULE_BELOW, .recorded = 5},
    {FIELD(weight_decay), .initial = 5e-4, BOUNDS(0, FLT_MAX), .recorded = 6},
    {FIELD(step_factor), .initial = 0.1, BOUNDS(0, 1), .rules = ISCP_RULE_ABOVE, .recorded = 7},
    {FIELD(rise), .initial = 0.3, BOUNDS(0, 1), .rules = ISCP_RULE_ABOVE | ISCP_RULE_BELOW, .recorded = 8},
    {FIELD(step_epochs), .initial = 30, BOUNDS(1, INT32_MAX), .recorded = 9},
    {FIELD(nesterov), .initial = 1, BOUNDS(0, 1), .recorded = 10},
    {FIELD(decay_all), BOUNDS(0, 1), .recorded = 11},
    {FIELD(shift), BOUNDS(0, 256), .recorded = 12},
    {FIELD(flip), BOUNDS(0, 1), .recorded = 13},
    {FIELD(reserved), .rules = ISCP_RULE_RESERVED},
    {FIELD(seed), .recorded = 14},
    {FIELD(attack), BOUNDS(0, 2), .words = norms, .needs = "attack", .recorded = 15},
    {FIELD(attack_steps), .initial = 7, BOUNDS(1, 10000), .needs = "attack", .recorded = 16},
    {FIELD(attack_eps), BOUNDS(0, FLT_MAX), .needs = "attack", .recorded = 17},
    {FIELD(attack_step), BOUNDS(0, FLT_MAX), .needs = "attack", .recorded = 18},
};
const iscp_fields isc_train_options_fields = TABLE(train_options, seed);
#undef STRUCT

#define STRUCT iscp_train_state
static const isc_field train_state[] = {
    {FIELD(struct_size), .rules = ISCP_RULE_SIZE},
    {FIELD(epochs)}, {FIELD(step)}, {FIELD(epoch_steps)}, {FIELD(loss)}, {FIELD(accuracy)}, {FIELD(learning_rate)},
    {FIELD(images_per_second)}, {FIELD(memory)},
};
const iscp_fields isc_train_state_fields = TABLE(train_state, memory);
#undef STRUCT

#define STRUCT iscp_uap_info
static const isc_field uap_info[] = {
    {FIELD(struct_size), .rules = ISCP_RULE_SIZE},
    {FIELD(class_index)}, {FIELD(finished)}, {FIELD(epochs)}, {FIELD(steps)}, {FIELD(images)}, {FIELD(fooled)},
    {FIELD(asr)}, {FIELD(asr_low)}, {FIELD(asr_high)},
};
const iscp_fields isc_uap_info_fields = TABLE(uap_info, asr_high);
#undef STRUCT

#define STRUCT iscp_uap_options
static const isc_field uap_options[] = {
    {FIELD(struct_size), .rules = ISCP_RULE_SIZE},
    {FIELD(method), .initial = ISCP_UAP_SGD, BOUNDS(1, 2), .words = uaps},
    {FIELD(eps), .initial = 8.0 / 255, BOUNDS(0, 1), .rules = ISCP_RULE_ABOVE},
    {FIELD(step), BOUNDS(0, 2)},
    {FIELD(fraction), .initial = 1, BOUNDS(0, 1), .rules = ISCP_RULE_ABOVE},
    {FIELD(seed)},
    {FIELD(epochs), BOUNDS(0, 1000)},
    {FIELD(batch), BOUNDS(0, 4096)},
    {FIELD(loss_clamp), .initial = 12, BOUNDS(0, INFINITY), .rules = ISCP_RULE_ABOVE},
    {FIELD(overshoot), .initial = 0.02, BOUNDS(0, 1)},
    {FIELD(inner_steps), .initial = 50, BOUNDS(1, 1000)},
    {FIELD(reserved), .rules = ISCP_RULE_RESERVED},
    {FIELD(stop), .initial = 0.8, BOUNDS(0, 1), .rules = ISCP_RULE_ABOVE},
};
const iscp_fields isc_uap_options_fields = TABLE(uap_options, stop);
#undef STRUCT
