/* The pattern of class 0, and how well it predicts: first MODEL IMAGES */
#include <stdio.h>
#include <stdlib.h>

#include <iscp/iscp.h>

static void must(iscp_status status) {
  if (status == ISCP_OK)
    return;
  fprintf(stderr, "%s\n", iscp_error_message());
  exit(1);
}

int main(int argc, char **argv) {
  iscp_context *context;
  iscp_model *model;
  iscp_dataset *data;
  iscp_search *search;
  iscp_pattern *pattern;
  iscp_evaluation *evaluation;
  iscp_dataset_options images;
  iscp_search_options options;
  iscp_power power = {.struct_size = sizeof power};
  int32_t y = 0;
  if (argc != 3)
    return 2;
  must(iscp_context_create(&context, NULL));
  must(iscp_model_load(&model, context, argv[1], NULL));
  must(iscp_dataset_options_init(&images, sizeof images));
  images.contract = iscp_model_contract(model);
  must(iscp_dataset_open(&data, context, argv[2], &images));
  must(iscp_search_options_init(&options, sizeof options));
  options.classes = &y;
  options.class_count = 1;
  must(iscp_search_create(&search, model, data, &options));
  must(iscp_search_next(search, &y, NULL, NULL));
  must(iscp_search_pattern(&pattern, search, y, iscp_search_selected(search, y), ISCP_CUT_SIZE, 0.05));
  must(iscp_pattern_write_png(pattern, "pattern.png", 0));
  must(iscp_evaluation_create(&evaluation, model, data, NULL, NULL, NULL));
  must(iscp_evaluation_power(evaluation, pattern, &power, NULL, NULL));
  printf("class %d at 5 %%: PW %.2f (ASR %.2f of %d, accuracy %.2f of %d)\n", y, power.pw, power.asr,
         (int)power.nontarget, power.accuracy, (int)power.target_images);
  iscp_evaluation_destroy(evaluation);
  iscp_pattern_destroy(pattern);
  iscp_search_destroy(search);
  iscp_dataset_destroy(data);
  iscp_model_destroy(model);
  iscp_context_destroy(context);
}
