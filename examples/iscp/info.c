/* iscp info: what a model is made of, and what computes here. */
#include "program.h"

enum { JSON = 256 };

typedef struct settings {
  int json;
} settings;

static const option_line lines[] = {
    {JSON, "json", NULL, "print JSON"},
    {0},
};

static int set(void *to, int key, const char *value) {
  (void)key;
  (void)value;
  ((settings *)to)->json = 1;
  return EXIT_DONE;
}

static const option_group own_group = {"Output", lines, set};
static const option_group *const groups[] = {&own_group, &model_group, &machine_group, NULL};

static const char *stem_name(const iscp_model_info *info) {
  return info->stem == ISCP_STEM_CIFAR ? "cifar" : "imagenet";
}

static const char *backend_name(const iscp_context *context) {
  return iscp_context_backend(context) == ISCP_BACKEND_BLAS ? "blas" : "onednn";
}

static void print_numbers(const char *title, const float *values, int32_t count) {
  printf("%s", title);
  for (int32_t i = 0; i < count; i++)
    printf("%s%g", i ? ", " : "", (double)values[i]);
}

static void print_names(const iscp_model *model, int32_t classes) {
  if (!iscp_model_class_name(model, 0))
    return;
  printf("names         ");
  for (int32_t y = 0; y < classes && y < 20; y++)
    printf("%s%s", y ? ", " : "", class_name(model, NULL, y) ? class_name(model, NULL, y) : "");
  printf("%s\n", classes > 20 ? ", ..." : "");
}

/* Widths and stride as far as they are not the usual ones. */
static void print_architecture(const iscp_model_info *info) {
  printf("architecture  ResNet-%d, width %d, ", info->depth, info->width);
  if (info->planes)
    printf("first stage %d, ", info->planes);
  if (info->inner)
    printf("wide: %d within, ", info->inner);
  if (info->stride == ISCP_STRIDE_1X1)
    printf("stride in the 1x1 convolution, ");
  printf("stem %s, %d classes\n", stem_name(info), info->classes);
}

static void print_plain(const iscp_context *context, const iscp_model *model, const iscp_model_info *info,
                        const char *path) {
  const iscp_contract *c = iscp_model_contract(model);
  printf("model         %s\n", path);
  printf("sha256        %s\n", iscp_model_hash(model));
  printf("weights       %s\n", iscp_model_source(model));
  print_architecture(info);
  print_names(model, info->classes);
  printf("parameters    %lld\n", (long long)info->parameters);
  printf("multiply-adds %lld an image\n", (long long)info->multiply_adds);
  printf("input         %d x %d x %d, zeros added: top %d, bottom %d, left %d, right %d\n", c->channels, c->height,
         c->width, c->pad_top, c->pad_bottom, c->pad_left, c->pad_right);
  print_numbers("              mean ", c->mean, c->channels);
  print_numbers("; std ", c->std, c->channels);
  printf("\nlibrary       %s\n", iscp_version_text());
  printf("computing     %s, %d threads, kernels: %s\n", backend_name(context), iscp_context_threads(context),
         iscp_context_kernels(context));
}

static void print_json(const iscp_context *context, const iscp_model *model, const iscp_model_info *info,
                       const char *path) {
  emitter j = {.file = stdout};
  emit_open(&j, NULL, '{');
  emit_text(&j, "path", path);
  emit_text(&j, "weights_sha256", iscp_model_hash(model));
  emit_integer(&j, "depth", info->depth);
  emit_integer(&j, "width", info->width);
  emit_text(&j, "stem", stem_name(info));
  emit_integer(&j, "planes", info->planes ? info->planes : info->width);
  emit_integer(&j, "inner", info->inner ? info->inner : info->planes ? info->planes : info->width);
  emit_text(&j, "stride", info->stride == ISCP_STRIDE_1X1 ? "1x1" : "3x3");
  emit_text(&j, "source", iscp_model_source(model));
  emit_integer(&j, "classes", info->classes);
  emit_integer(&j, "parameters", info->parameters);
  emit_integer(&j, "multiply_adds", info->multiply_adds);
  emit_contract(&j, "contract", iscp_model_contract(model));
  emit_open(&j, "names", '[');
  for (int32_t y = 0; y < info->classes; y++)
    emit_text(&j, NULL, class_name(model, NULL, y));
  emit_close(&j, ']');
  emit_text(&j, "library", iscp_version_text());
  emit_text(&j, "backend", backend_name(context));
  emit_text(&j, "kernels", iscp_context_kernels(context));
  emit_integer(&j, "threads", iscp_context_threads(context));
  emit_close(&j, '}');
  putchar('\n');
}

static int run(const cli_command *command, int argc, char **argv) {
  settings own = {0};
  model_settings model_options = {0};
  machine_settings machine = {0};
  const char *words[1];
  int code = options_read(command, argc, argv, (void *[]){&own, &model_options, &machine}, words);
  if (code != EXIT_DONE)
    return code < 0 ? EXIT_DONE : code;
  iscp_context *context = NULL;
  iscp_model *model = NULL;
  iscp_model_info info = {.struct_size = sizeof info};
  code = open_context(&context, &machine);
  if (code == EXIT_DONE)
    code = open_model(&model, context, words[0], &model_options);
  if (code == EXIT_DONE && iscp_model_get_info(model, &info) == ISCP_OK)
    (own.json ? print_json : print_plain)(context, model, &info, words[0]);
  iscp_model_destroy(model);
  iscp_context_destroy(context);
  return code;
}

const cli_command info_command = {
    .name = "info",
    .summary = "Say what a model is made of, and what computes here",
    .usage = "MODEL",
    .text = "MODEL is a PyTorch checkpoint (.pth) or a safetensors file. A checkpoint does not say what its input\n"
            "is:\n\n"
            "  iscp info model.safetensors\n"
            "  iscp info resnet50.pth --size 224 --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225\n",
    .arguments = 1,
    .groups = groups,
    .run = run,
};
