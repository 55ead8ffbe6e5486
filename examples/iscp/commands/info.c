/* iscp info: what a model is made of, what a set of images is, and what computes here. */
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "commands/commands.h"
#include "commands/describe.h"
#include "search/table.h"

typedef struct settings {
  int json, hash;
} settings;

static const option_line lines[] = {
    {0, "json", NULL, "print JSON",
     .how = OPTION_FLAG, .at = offsetof(settings, json), .low = 1},
    {0, "hash", NULL, "also the SHA-256 of the images, as it stands in reports; reads all of them",
     .how = OPTION_FLAG, .at = offsetof(settings, hash), .low = 1},
    {0},
};

static const option_group own_group = {"Output", lines, NULL};
static const option_group *const groups[] = {&own_group, &data_group, &model_group, &machine_group, NULL};

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

static void print_geometry(const iscp_contract *c) {
  if (c->resize_short)
    printf("              resized to a short side of %d (%s)\n", c->resize_short, filter_names[c->filter]);
  if (c->resize_height)
    printf("              resized to %d x %d (%s)\n", c->resize_height, c->resize_width, filter_names[c->filter]);
  if (c->crop_height)
    printf("              cropped to %d x %d from the middle%s\n", c->crop_height, c->crop_width,
           c->crop_rule == ISCP_CROP_FLOOR ? ", rounded down" : "");
  printf("              zeros added: top %d, bottom %d, left %d, right %d\n", c->pad_top, c->pad_bottom, c->pad_left,
         c->pad_right);
}

static void print_contract(const iscp_contract *c, const char *source) {
  printf("input         %d x %d x %d, as of: %s\n", c->channels, c->height, c->width, source);
  print_geometry(c);
  print_numbers("              mean ", c->mean, c->channels);
  print_numbers("; std ", c->std, c->channels);
  if (c->channels == 3)
    printf(" of %s", order_names[c->order]);
  printf(" in [0,%d]\n", c->range);
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
                        const char *path, const char *source) {
  printf("model         %s\n", path);
  printf("sha256        %s\n", iscp_model_hash(model));
  printf("weights       %s\n", iscp_model_source(model));
  print_architecture(info);
  print_names(model, info->classes);
  printf("parameters    %lld\n", (long long)info->parameters);
  printf("multiply-adds %lld an image\n", (long long)info->multiply_adds);
  print_contract(iscp_model_contract(model), source);
  printf("library       %s\n", iscp_version_text());
  printf("computing     %s, %d threads, kernels: %s\n", backend_name(context), iscp_context_threads(context),
         iscp_context_kernels(context));
}

static void print_json(emitter *to, const iscp_context *context, const iscp_model *model, const iscp_model_info *info,
                       const char *path, const char *source) {
  emit_text(to, "path", path);
  emit_text(to, "weights_sha256", iscp_model_hash(model));
  emit_integer(to, "depth", info->depth);
  emit_integer(to, "width", info->width);
  emit_text(to, "stem", stem_name(info));
  emit_integer(to, "planes", info->planes ? info->planes : info->width);
  emit_integer(to, "inner", info->inner ? info->inner : info->planes ? info->planes : info->width);
  emit_text(to, "stride", info->stride == ISCP_STRIDE_1X1 ? "1x1" : "3x3");
  emit_text(to, "source", iscp_model_source(model));
  emit_integer(to, "classes", info->classes);
  emit_integer(to, "parameters", info->parameters);
  emit_integer(to, "multiply_adds", info->multiply_adds);
  emit_contract(to, "contract", iscp_model_contract(model));
  emit_text(to, "contract_source", source);
  emit_open(to, "names", '[');
  for (int32_t y = 0; y < info->classes; y++)
    emit_text(to, NULL, class_name(model, NULL, y));
  emit_close(to, ']');
  emit_text(to, "library", iscp_version_text());
  emit_text(to, "backend", backend_name(context));
  emit_text(to, "kernels", iscp_context_kernels(context));
  emit_integer(to, "threads", iscp_context_threads(context));
}

/* ---- The command ---- */

typedef struct opened {
  iscp_context *context;
  iscp_model *model;
  iscp_dataset *data;
  const char *model_path, *data_path, *hash, *source;
} opened;

/* A directory, or what is called as files of images are. */
static int is_data(const char *path) {
  static const char *const endings[] = {".npy", ".npz", ".csv", ".tsv", ".gz", ".tgz", "-ubyte"};
  struct stat state;
  size_t length = strlen(path);
  if (!stat(path, &state) && S_ISDIR(state.st_mode))
    return 1;
  for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
    size_t end = strlen(endings[i]);
    if (length > end && !strcasecmp(path + length - end, endings[i]))
      return 1;
  }
  return 0;
}

static int open_all(opened *all, const settings *own, const inputs *in) {
  int code = open_context(&all->context, &in->machine);
  if (code == EXIT_DONE && all->model_path)
    code = open_model(&all->model, all->context, all->model_path, &in->model);
  if (code == EXIT_DONE && all->data_path)
    code = open_data(&all->data, all->context, all->data_path, all->model, &in->data);
  if (code == EXIT_DONE && all->data && own->hash) {
    all->hash = iscp_dataset_hash(all->data);
    code = all->hash ? EXIT_DONE : failed(ISCP_ERROR_IO);
  }
  return code;
}

static void print_all(const opened *all, const iscp_model_info *info, int as_json) {
  if (!as_json) {
    if (all->model)
      print_plain(all->context, all->model, info, all->model_path, all->source);
    if (all->data)
      describe_plain(all->data, all->model, all->data_path, all->hash);
    return;
  }
  emitter j = {.file = stdout};
  emit_open(&j, NULL, '{');
  if (all->model)
    print_json(&j, all->context, all->model, info, all->model_path, all->source);
  if (all->model && all->data)
    emit_open(&j, "data", '{');
  if (all->data)
    describe_json(&j, all->data, all->data_path, all->hash);
  if (all->model && all->data)
    emit_close(&j, '}');
  emit_close(&j, '}');
  putchar('\n');
}

static int run(const cli_command *command, int argc, char **argv) {
  settings own = {0};
  char source[SOURCE_SIZE] = "";
  inputs in = {.model.source = source};
  const char *words[2];
  int code = options_read(command, argc, argv, (void *[]){&own, &in.data, &in.model, &in.machine}, words);
  if (code != EXIT_DONE)
    return code < 0 ? EXIT_DONE : code;
  opened all = {.model_path = words[0], .data_path = words[1], .source = source};
  if (!words[1] && is_data(words[0]))
    all = (opened){.data_path = words[0]};
  iscp_model_info info = {.struct_size = sizeof info};
  signals_catch();
  code = open_all(&all, &own, &in);
  progress_clear();
  if (code == EXIT_DONE && (!all.model || iscp_model_get_info(all.model, &info) == ISCP_OK))
    print_all(&all, &info, own.json);
  close_subject(all.context, all.model, all.data);
  return code;
}

const cli_command info_command = {
    .name = "info",
    .summary = "Say what a model and a set of images are, and what computes here",
    .usage = "MODEL [DATA], or DATA",
    .text = "MODEL is a PyTorch checkpoint (.pth) or a safetensors file. A checkpoint does not say what its input\n"
            "is. DATA is a folder, or a file of images; --skip-broken looks at every picture of it:\n\n"
            "  iscp info model.safetensors\n"
            "  iscp info resnet50.pth --input torchvision-v1\n"
            "  iscp info resnet50.pth --size 224 --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225\n"
            "  iscp info images/ --skip-broken\n"
            "  iscp info model.safetensors cifar-10-binary.tar.gz --split train\n",
    .arguments = 1,
    .optional = 1,
    .groups = groups,
    .run = run,
};
