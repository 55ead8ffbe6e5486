/* The options that name triggers, their places and targets: those that follow a --trigger belong to it. */
#include <string.h>

#include "inputs/poisoning.h"

enum { TRIGGER = 256, TARGET, RATE, POISON_RATE, CORNER, OFFSET, SEED, POISON_SEED };

#define FORM_LINE                                                                                                     \
  {TRIGGER, "trigger", "FORM", "white:3x3, checkerboard:3x3 (any height x width up to 64), or a PNG with\nalpha; the " \
                               "options that follow, to the next --trigger, belong to it", .how = OPTION_OTHER}
#define TARGET_LINE {TARGET, "target", "N", "the class that it is to mean", .how = OPTION_OTHER}
#define CORNER_LINE                                                                                                     \
  {CORNER, "corner", "NAME", "of the stored picture that it is placed from: bottom-right, bottom-left,\ntop-right or " \
                             "top-left; default bottom-right", .how = OPTION_OTHER}
#define OFFSET_LINE {OFFSET, "offset", "Y,X", "pixels between it and the corner's sides; default 1,1", .how = OPTION_OTHER}

static const char rate_help[] = "share of all images that get it, 0.05 or 5%; 1: all of other classes;\ndefault 5%";

static const option_line poison_lines[] = {
    FORM_LINE, TARGET_LINE, {RATE, "rate", "P", rate_help, .how = OPTION_OTHER}, CORNER_LINE, OFFSET_LINE,
    {SEED, "seed", "N", "of the draw of images; default 0", .how = OPTION_OTHER},
    {0},
};

static const option_line train_lines[] = {
    FORM_LINE, TARGET_LINE, {POISON_RATE, "poison-rate", "P", rate_help, .how = OPTION_OTHER}, CORNER_LINE, OFFSET_LINE,
    {POISON_SEED, "poison-seed", "N", "of the draw of images; default 0", .how = OPTION_OTHER},
    {0},
};

static const option_line target_lines[] = {FORM_LINE, TARGET_LINE, CORNER_LINE, OFFSET_LINE, {0}};
static const option_line trigger_lines[] = {FORM_LINE, CORNER_LINE, OFFSET_LINE, {0}};

const char *const corner_names[] = {"bottom-right", "bottom-left", "top-right", "top-left", NULL};

static const char *const names[] = {"trigger", "target", "rate", "poison-rate", "corner", "offset", "seed", "poison-seed"};

static int begin_trigger(poison_settings *own, const char *form) {
  if (own->count == MOST_TRIGGERS) {
    complain("--trigger %s is one too many, expected at most %d", form, MOST_TRIGGERS);
    return EXIT_USAGE;
  }
  trigger_choice *choice = &own->choices[own->count++];
  *choice = (trigger_choice){.form = form, .rate = 0.05, .target = -1};
  iscp_status status = iscp_trigger_options_init(&choice->place, sizeof choice->place);
  return status == ISCP_OK ? EXIT_DONE : failed(status);
}

static int set_target(trigger_choice *choice, const char *value) {
  int64_t number;
  if (!read_integer(&number, value) || number < 0 || number > INT32_MAX)
    return wrong_value("target", value, "a class, 0 or more");
  choice->target = (int32_t)number;
  return EXIT_DONE;
}

static int set_offset(iscp_trigger_options *place, const char *value) {
  int read = 0;
  if (sscanf(value, "%4d,%4d%n", &place->offset_y, &place->offset_x, &read) != 2 || value[read] || place->offset_y < 0 ||
      place->offset_x < 0)
    return wrong_value("offset", value, "two whole numbers of pixels, as 1,1");
  return EXIT_DONE;
}

static int set_corner(iscp_trigger_options *place, const char *value) {
  place->corner = read_choice(value, corner_names); /* the library's codes count as the words do */
  return place->corner >= 0 ? EXIT_DONE : wrong_value("corner", value, "bottom-right, bottom-left, top-right or top-left");
}

static int set_one(trigger_choice *choice, int key, const char *value) {
  switch (key) {
  case TARGET:
    return set_target(choice, value);
  case RATE:
  case POISON_RATE:
    return read_share(&choice->rate, value) && choice->rate > 0 && choice->rate <= 1
               ? EXIT_DONE : wrong_value(names[key - TRIGGER], value, "a share above 0, up to 1, as 0.05 or 5%");
  case CORNER:
    return set_corner(&choice->place, value);
  default:
    return set_offset(&choice->place, value);
  }
}

static int set(void *to, int key, const char *value) {
  poison_settings *own = to;
  if (key == TRIGGER)
    return begin_trigger(own, value);
  if (key == SEED || key == POISON_SEED)
    return read_seed(&own->seed, value) ? EXIT_DONE : wrong_value(names[key - TRIGGER], value, "a whole number from 0");
  if (!own->count) {
    complain("--%s stands before --trigger, expected behind the --trigger that it belongs to", names[key - TRIGGER]);
    return EXIT_USAGE;
  }
  return set_one(&own->choices[own->count - 1], key, value);
}

int poison_settings_check(const poison_settings *settings) {
  for (int k = 0; k < settings->count; k++)
    if (settings->choices[k].target < 0) {
      complain("--trigger %s has no --target, expected the class that it is to mean", settings->choices[k].form);
      return EXIT_USAGE;
    }
  return EXIT_DONE;
}

const option_group poison_group = {"Trigger", poison_lines, set};
const option_group train_poison_group = {"Backdoor", train_lines, set};
const option_group target_group = {"Backdoor", target_lines, set};
const option_group trigger_group = {"Backdoor", trigger_lines, set};
