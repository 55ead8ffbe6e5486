/* What iscp bench has measured, as a table and as JSON. */
#include "commands/bench.h"

static const char *stem_name(const bench_row *row) { return row->info.stem == ISCP_STEM_CIFAR ? "cifar" : "imagenet"; }

static const char *backend_name(const iscp_context *context) {
  return iscp_context_backend(context) == ISCP_BACKEND_BLAS ? "blas" : "onednn";
}

static double ms_per_image(const bench_row *row) { return row->pairs.seconds * 1e3 / row->batch; }
static double images_per_second(const bench_row *row) { return row->batch / row->pairs.seconds; }

static void print_row(const bench_row *row) {
  char size[24];
  if (row->contract.height == row->contract.width)
    snprintf(size, sizeof size, "%d", row->contract.height);
  else
    snprintf(size, sizeof size, "%dx%d", row->contract.height, row->contract.width);
  printf("%-9s  %9s  %-8s  %5d  %8.2f  %8.1f  %7.1f  %5.2f  %6.0f\n", work_names[row->work], size, stem_name(row), row->batch,
         ms_per_image(row), images_per_second(row), row->pairs.gflops, row->pairs.share, (double)row->bytes / 1e6);
}

static void print_time(double seconds) {
  int64_t rounded = (int64_t)(seconds + 0.5);
  if (rounded >= 3600)
    printf("%lld h %lld min", (long long)rounded / 3600, (long long)rounded / 60 % 60);
  else if (rounded >= 60)
    printf("%lld min %lld s", (long long)rounded / 60, (long long)rounded % 60);
  else
    printf("%lld s", (long long)rounded);
}

void bench_print(const bench_report *report) {
  printf("%s, %d threads\nkernels: %s\n", backend_name(report->context), iscp_context_threads(report->context),
         iscp_context_kernels(report->context));
  printf("peak of multiply-adds in registers (%s): %.0f GFLOP/s, of one thread %.0f\n\n", peak_kernel(), report->peak,
         report->peak_one);
  printf("%-9s  %9s  %-8s  %5s  %8s  %8s  %7s  %5s  %6s\n", "work", "size", "stem", "batch", "ms/image", "images/s", "GFLOP/s",
         "share", "MB");
  for (int32_t i = 0; i < report->count; i++)
    print_row(&report->rows[i]);
  printf("\nshare: of the peak of the same moment, median of pairs. MB: memory that the work holds.\n");
  const bench_estimate *e = report->estimate;
  if (!e)
    return;
  printf("\na search of all %d classes, %d canvases, %d epochs, as by default: about ", e->classes, e->canvases,
         e->epochs);
  print_time(e->seconds);
  printf("\n(%lld images a step at a time, %lld by inference)\n", (long long)e->step_images,
         (long long)e->inference_images);
}

/* ---- JSON ---- */

static void emit_row(emitter *j, const bench_report *report, const bench_row *row) {
  emit_open(j, NULL, '{');
  emit_text(j, "work", work_names[row->work]);
  emit_integer(j, "size", row->contract.height);
  if (row->contract.width != row->contract.height)
    emit_integer(j, "width", row->contract.width);
  emit_text(j, "stem", stem_name(row));
  emit_integer(j, "depth", row->info.depth);
  emit_integer(j, "batch", row->batch);
  emit_text(j, "backend", backend_name(report->context));
  emit_integer(j, "threads", iscp_context_threads(report->context));
  emit_number(j, "ms_per_image", ms_per_image(row));
  emit_number(j, "images_per_second", images_per_second(row));
  emit_number(j, "gflops", row->pairs.gflops);
  emit_number(j, "peak_gflops", row->pairs.peak);
  emit_number(j, "share_of_peak", row->pairs.share);
  emit_integer(j, "pairs", row->pairs.pairs);
  emit_integer(j, "bytes", row->bytes);
  emit_close(j, '}');
}

static void emit_estimate(emitter *j, const bench_estimate *e) {
  emit_open(j, "search", '{');
  emit_number(j, "seconds", e->seconds);
  emit_integer(j, "classes", e->classes);
  emit_integer(j, "canvases", e->canvases);
  emit_integer(j, "epochs", e->epochs);
  emit_integer(j, "step_images", e->step_images);
  emit_integer(j, "inference_images", e->inference_images);
  emit_close(j, '}');
}

void bench_print_json(const bench_report *report) {
  emitter j = {.file = stdout};
  emit_open(&j, NULL, '{');
  emit_number(&j, "peak_gflops", report->peak);
  emit_number(&j, "peak_gflops_one_thread", report->peak_one);
  emit_text(&j, "peak_kernel", peak_kernel());
  emit_text(&j, "library", iscp_version_text());
  emit_text(&j, "kernels", iscp_context_kernels(report->context));
  emit_integer(&j, "threads", iscp_context_threads(report->context));
  emit_text(&j, "convolutions", iscp_context_convolutions(report->context) ? "fast" : "direct");
  emit_text(&j, "precision", iscp_context_precision(report->context) ? "bf16" : "f32");
  emit_open(&j, "results", '[');
  for (int32_t i = 0; i < report->count; i++)
    emit_row(&j, report, &report->rows[i]);
  emit_close(&j, ']');
  if (report->estimate)
    emit_estimate(&j, report->estimate);
  emit_close(&j, '}');
  putchar('\n');
}
