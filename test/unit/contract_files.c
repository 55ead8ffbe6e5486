/* lib/data: input contracts in files, libiscp's own, timm's and Hugging Face's, and which of them is found beside weights. */
#include <string.h>

#include "data/data.h"
#include "format/format.h"
#include "support.h"

static iscp_contract fresh(void) {
  iscp_contract contract;
  ASSERT_OK(iscp_contract_init(&contract, sizeof contract));
  return contract;
}

static const char *write_text(const char *name, const char *text) {
  const char *path = support_path(name);
  support_write(path, text, strlen(text));
  return path;
}

static iscp_contract read_text(iscp_context *context, const char *text) {
  iscp_contract contract = fresh();
  ASSERT_OK(iscp_contract_read(&contract, context, write_text("given.json", text)));
  ASSERT_OK(iscp_contract_validate(&contract));
  return contract;
}

static void refused(iscp_context *context, const char *text, iscp_status status, const char *word) {
  iscp_contract contract = fresh(), before = contract;
  const char *path = write_text("given.json", text);
  support_failed(iscp_contract_read(&contract, context, path), status, word);
  ck_assert_ptr_eq(strstr(iscp_error_message(), path), iscp_error_message());
  ck_assert_mem_eq(&contract, &before, sizeof contract);
}

static void check_form(const iscp_contract *c, int32_t short_side, int32_t resize, int32_t crop, int32_t size) {
  ck_assert_int_eq(c->resize_short, short_side);
  ck_assert_int_eq(c->resize_height, resize);
  ck_assert_int_eq(c->resize_width, resize);
  ck_assert_int_eq(c->crop_height, crop);
  ck_assert_int_eq(c->crop_width, crop);
  ck_assert_int_eq(c->height, size);
  ck_assert_int_eq(c->width, size);
}

/* ---- Own ---- */

START_TEST(written_contracts_are_read) {
  iscp_context *context = support_context();
  iscp_contract contract = fresh(), read = fresh();
  ASSERT_OK(iscp_contract_preset(&contract, "timm-0.95"));
  contract.order = ISCP_ORDER_BGR;
  const char *path = support_path("own.json"), *names[] = {"a", "b\xc3\xa9"};
  ASSERT_OK(iscp_contract_write(&contract, context, path, names, 2));
  ASSERT_OK(iscp_contract_read(&read, context, path));
  ck_assert_mem_eq(&read, &contract, sizeof read);
  names[1] = NULL;
  support_failed(iscp_contract_write(&contract, context, path, names, 2), ISCP_ERROR_ARGUMENT, "class name 1");
  support_failed(iscp_contract_write(&contract, context, path, NULL, 2), ISCP_ERROR_ARGUMENT, "class_count is 2");
  support_failed(iscp_contract_write(&contract, NULL, path, NULL, 0), ISCP_ERROR_ARGUMENT, "context");
  support_failed(iscp_contract_write(NULL, context, path, NULL, 0), ISCP_ERROR_ARGUMENT, "NULL");
  support_failed(iscp_contract_write(&contract, context, support_path("no/own.json"), NULL, 0), ISCP_ERROR_IO,
                 "own.json");
  contract.range = 2;
  support_failed(iscp_contract_write(&contract, context, path, NULL, 0), ISCP_ERROR_ARGUMENT, "range is 2");
  support_failed(iscp_contract_read(&read, context, support_path("none.json")), ISCP_ERROR_IO, "none.json");
  support_failed(iscp_contract_read(NULL, context, path), ISCP_ERROR_ARGUMENT, "contract");
  refused(context, "{\"height\": 28}", ISCP_ERROR_FORMAT, "\"width\"");
  refused(context, "[]", ISCP_ERROR_FORMAT, "not a JSON object");
  refused(context, "", ISCP_ERROR_FORMAT, "not JSON");
  support_context_end(context);
}
END_TEST

/* ---- timm ---- */

START_TEST(timm_configs) {
  iscp_context *context = support_context();
  iscp_contract c = read_text(context,
      "{\"architecture\": \"resnet50\", \"num_classes\": 1000, \"pretrained_cfg\": {\"tag\": \"a1_in1k\", \"input_size\": [3, 224, "
      "224], \"test_input_size\": [3, 288, 288], \"interpolation\": \"bicubic\", \"crop_pct\": 0.95, \"crop_mode\": \"center\", "
      "\"mean\": [0.485, 0.456, 0.406], \"std\": [0.229, 0.224, 0.225]}}");
  check_form(&c, 235, 0, 224, 224); /* floor(224 / 0.95) */
  ck_assert_int_eq(c.filter, ISCP_FILTER_BICUBIC);
  ck_assert(c.mean[1] == 0.456f && c.std[2] == 0.225f);
  ck_assert_int_eq(c.crop_rule, ISCP_CROP_EVEN);
  c = read_text(context, "{\"input_size\": [3, 224, 224]}"); /* what timm does where a config is silent */
  check_form(&c, 256, 0, 224, 224);
  ck_assert_int_eq(c.filter, ISCP_FILTER_BICUBIC);
  ck_assert(c.mean[0] == 0.485f);
  c = read_text(context, "{\"interpolation\": \"bilinear\", \"crop_pct\": 0.965, \"mean\": [0.5, 0.5, 0.5]}");
  check_form(&c, 232, 0, 224, 224);
  ck_assert_int_eq(c.filter, ISCP_FILTER_BILINEAR);
  ck_assert(c.mean[2] == 0.5f);
  c = read_text(context, "{\"input_size\": [3, 224, 192], \"crop_pct\": 0.9, \"crop_mode\": \"squash\"}");
  ck_assert(c.resize_height == 248 && c.resize_width == 213 && c.crop_height == 224 && c.crop_width == 192);
  c = read_text(context, "{\"input_size\": [1, 64, 64], \"crop_pct\": 1.0, \"mean\": [0.1], \"std\": [0.3]}");
  check_form(&c, 64, 0, 64, 64);
  ck_assert(c.channels == 1 && c.mean[0] == 0.1f && c.std[0] == 0.3f);
  refused(context, "{\"input_size\": [3, 224, 224], \"crop_mode\": \"border\"}", ISCP_ERROR_UNSUPPORTED, "\"border\"");
  refused(context, "{\"interpolation\": \"lanczos\"}", ISCP_ERROR_UNSUPPORTED, "\"lanczos\"");
  refused(context, "{\"interpolation\": 3}", ISCP_ERROR_UNSUPPORTED, "\"interpolation\"");
  refused(context, "{\"input_size\": [3, 224, 192]}", ISCP_ERROR_UNSUPPORTED, "224x192");
  refused(context, "{\"input_size\": [3, 224]}", ISCP_ERROR_FORMAT, "\"input_size\"");
  refused(context, "{\"input_size\": [4, 224, 224]}", ISCP_ERROR_FORMAT, "4 channels");
  refused(context, "{\"input_size\": [3, 224, 2000000000]}", ISCP_ERROR_FORMAT, "2000000000");
  refused(context, "{\"input_size\": [3, 9000, 9000]}", ISCP_ERROR_FORMAT, "height is 9000");
  refused(context, "{\"input_size\": [3, 64, 64], \"crop_pct\": 0}", ISCP_ERROR_FORMAT, "\"crop_pct\"");
  refused(context, "{\"input_size\": [3, 64, 64], \"crop_pct\": 1e-300}", ISCP_ERROR_FORMAT, "\"crop_pct\"");
  refused(context, "{\"input_size\": [3, 64, 64], \"std\": [1, 1, 0]}", ISCP_ERROR_FORMAT, "std[2]");
  refused(context, "{\"pretrained_cfg\": 7}", ISCP_ERROR_FORMAT, "\"pretrained_cfg\"");
  support_context_end(context);
}
END_TEST

/* ---- Hugging Face ---- */

START_TEST(hugging_face_configs) {
  iscp_context *context = support_context();
  iscp_contract c = read_text(context,
      "{\"crop_pct\": 0.875, \"do_normalize\": true, \"do_resize\": true, \"feature_extractor_type\": \"ConvNextFeatureExtractor\", "
      "\"image_mean\": [0.485, 0.456, 0.406], \"image_std\": [0.229, 0.224, 0.225], \"resample\": 3, \"size\": 224}");
  check_form(&c, 256, 0, 224, 224);
  ck_assert(c.filter == ISCP_FILTER_BICUBIC && c.crop_rule == ISCP_CROP_FLOOR && c.mean[0] == 0.485f && c.range == 1);
  c = read_text(context, "{\"image_processor_type\": \"ConvNextImageProcessor\", \"size\": {\"shortest_edge\": 384}, "
                         "\"resample\": 3, \"crop_pct\": 0.875}");
  check_form(&c, 0, 384, 0, 384);
  c = read_text(context, "{\"image_processor_type\": \"ViTImageProcessor\", \"size\": {\"height\": 224, \"width\": 224}, "
                         "\"resample\": 2, \"image_mean\": [0.5, 0.5, 0.5], \"image_std\": [0.5, 0.5, 0.5]}");
  check_form(&c, 0, 224, 0, 224);
  ck_assert(c.filter == ISCP_FILTER_BILINEAR && c.std[1] == 0.5f);
  c = read_text(context, "{\"do_resize\": true, \"size\": {\"shortest_edge\": 256}, \"do_center_crop\": true, \"crop_size\": "
                         "{\"height\": 224, \"width\": 224}, \"resample\": 3, \"do_normalize\": false, \"do_rescale\": false, "
                         "\"image_mean\": [1, 2, 3]}");
  check_form(&c, 256, 0, 224, 224);
  ck_assert(c.range == 255 && c.mean[2] == 0);
  c = read_text(context, "{\"do_resize\": false, \"do_center_crop\": true, \"crop_size\": 96}");
  check_form(&c, 0, 0, 96, 96);
  c = read_text(context, "{\"do_resize\": true, \"size\": 128}");
  check_form(&c, 0, 128, 0, 128);
  refused(context, "{\"do_resize\": true, \"size\": 128, \"resample\": 1}", ISCP_ERROR_UNSUPPORTED, "\"resample\" is 1");
  refused(context, "{\"do_resize\": true, \"size\": {\"shortest_edge\": 256}}", ISCP_ERROR_UNSUPPORTED, "\"crop_size\"");
  refused(context, "{\"do_resize\": true, \"size\": {\"longest_edge\": 256}}", ISCP_ERROR_UNSUPPORTED, "\"shortest_edge\"");
  refused(context, "{\"do_resize\": false}", ISCP_ERROR_UNSUPPORTED, "how large");
  refused(context, "{\"do_resize\": 1, \"size\": 128}", ISCP_ERROR_FORMAT, "\"do_resize\"");
  refused(context, "{\"do_resize\": true}", ISCP_ERROR_FORMAT, "\"size\"");
  refused(context, "{\"do_resize\": true, \"size\": -1}", ISCP_ERROR_FORMAT, "\"size\" is -1");
  refused(context, "{\"do_resize\": true, \"size\": 128, \"image_mean\": [1, 2]}", ISCP_ERROR_FORMAT, "\"image_mean\"");
  refused(context, "{\"crop_pct\": 0.9, \"size\": {\"height\": 9, \"width\": 9}}", ISCP_ERROR_UNSUPPORTED, "shortest_edge");
  support_context_end(context);
}
END_TEST

/* ---- Beside the weights ---- */

static void check_found(const iscp_context *context, const char *weights, const char *name) {
  char *found;
  ASSERT_OK(isc_contract_find(&found, context, weights));
  if (name)
    ck_assert_str_eq(found, support_path(name));
  else
    ck_assert_ptr_null(found);
  isc_free(context, found);
}

START_TEST(the_nearest_file_is_found) {
  iscp_context *context = support_context();
  char weights[512];
  ck_assert_int_lt(strlen(support_path("w.pth")), sizeof weights);
  strcpy(weights, support_path("w.pth"));
  check_found(context, weights, NULL);
  write_text("config.json", "{\"lr\": 0.1}"); /* somebody's notes on the training */
  write_text("preprocessor_config.json", "not even JSON");
  check_found(context, weights, NULL);
  write_text("preprocessor_config.json", "{\"do_resize\": true, \"size\": 32}");
  check_found(context, weights, "preprocessor_config.json");
  write_text("config.json", "{\"pretrained_cfg\": {}}");
  check_found(context, weights, "config.json");
  write_text("w.pth.contract.json", "whatever it is: its name says that it is meant");
  check_found(context, weights, "w.pth.contract.json");
  check_found(context, "a file without a folder", NULL);
  support_context_end(context);
}
END_TEST

START_TEST(files_survive_each_failing_allocation) {
  iscp_context *context = support_context();
  iscp_contract contract = fresh(), read;
  const char *path = write_text("some.json", "{\"height\": 28, \"width\": 28, \"classes\": [\"a\"]}");
  write_text("config.json", "{\"pretrained_cfg\": {}}");
  for (long allowed = 0; allowed < 12; allowed++) {
    char *found = NULL;
    read = contract;
    support_fail_after(allowed);
    iscp_status reading = iscp_contract_read(&read, context, path);
    support_fail_after(allowed);
    iscp_status finding = isc_contract_find(&found, context, path);
    support_fail_after(allowed);
    iscp_status writing = iscp_contract_write(&contract, context, support_path("out.json"), NULL, 0);
    support_fail_after(-1);
    ck_assert(reading == ISCP_OK || reading == ISCP_ERROR_MEMORY);
    ck_assert(finding == ISCP_OK || finding == ISCP_ERROR_MEMORY);
    ck_assert(writing == ISCP_OK || writing == ISCP_ERROR_MEMORY);
    ck_assert((finding == ISCP_OK) == (found != NULL));
    ck_assert(allowed || reading == ISCP_ERROR_MEMORY);
    isc_free(context, found);
  }
  support_context_end(context);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("contract files");
  TCase *all = tcase_create("files");
  tcase_add_test(all, written_contracts_are_read);
  tcase_add_test(all, timm_configs);
  tcase_add_test(all, hugging_face_configs);
  tcase_add_test(all, the_nearest_file_is_found);
  tcase_add_test(all, files_survive_each_failing_allocation);
  suite_add_tcase(suite, all);
  return support_run(suite);
}
