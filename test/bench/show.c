/* The benchmark's results as a table and as JSON. */
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "cli/cli.h"

static const char *stem_name(int32_t stem) { return stem == ISCP_STEM_CIFAR ? "cifar" : "imagenet"; }
const char *backend_name(int32_t backend) { return backend == ISCP_BACKEND_BLAS ? "blas" : "onednn"; }

static double ms_per_image(const bench_row *row) { return row->pairs.seconds * 1e3 / row->of.batch; }

void show_peak(int32_t threads, double peak) {
  printf("peak of %2d thread%s: %6.0f GFLOP/s (%s)\n", threads, threads == 1 ? " " : "s", peak, peak_kernel());
}

void show_header(void) {
  printf("\n%-9s  %4s  %-8s  %5s  %-7s  %7s  %8s  %7s  %5s  %7s  %6s  %7s\n", "work", "size", "stem", "batch", "backend",
         "threads", "ms/image", "GFLOP/s", "share", "MB", "allocs", "mallocs");
  fflush(stdout);
}

void show_row(const bench_row *row) {
  const bench_case *of = &row->of;
  printf("%-9s  %4d  %-8s  %5d  %-7s  %7d  %8.2f  %7.1f  %5.2f  %7.1f  %6.1f", work_names[of->work], of->size.pixels,
         stem_name(of->size.stem), of->batch, backend_name(of->backend), of->threads, ms_per_image(row),
         row->pairs.gflops, row->pairs.share, (double)row->bytes / 1e6, row->allocations);
  if (row->mallocs < 0)
    printf("  %7s\n", "-");
  else
    printf("  %7.1f\n", row->mallocs);
  fflush(stdout);
}

static void emit_row(emitter *j, const bench_row *row) {
  emit_open(j, NULL, '{');
  emit_text(j, "work", work_names[row->of.work]);
  emit_integer(j, "size", row->of.size.pixels);
  emit_text(j, "stem", stem_name(row->of.size.stem));
  emit_integer(j, "depth", row->of.depth);
  emit_integer(j, "batch", row->of.batch);
  emit_text(j, "backend", backend_name(row->of.backend));
  emit_integer(j, "threads", row->of.threads);
  emit_number(j, "ms_per_image", ms_per_image(row));
  emit_number(j, "gflops", row->pairs.gflops);
  emit_number(j, "peak_gflops", row->pairs.peak);
  emit_number(j, "share_of_peak", row->pairs.share);
  emit_integer(j, "pairs", row->pairs.pairs);
  emit_integer(j, "bytes", row->bytes);
  emit_number(j, "allocations", row->allocations);
  if (row->mallocs >= 0)
    emit_number(j, "mallocs", row->mallocs);
  emit_close(j, '}');
}

void write_json(const bench_options *options, const bench_row *rows, int count) {
  emitter j = {.file = fopen(options->json, "w")};
  if (!j.file) {
    fprintf(stderr, "bench: %s cannot be written\n", options->json);
    exit(1);
  }
  double peak = 0;
  for (int i = 0; i < count; i++)
    peak = rows[i].pairs.peak > peak ? rows[i].pairs.peak : peak;
  emit_open(&j, NULL, '{');
  emit_number(&j, "peak_gflops", peak);
  emit_text(&j, "peak_kernel", peak_kernel());
  emit_text(&j, "library", iscp_version_text());
  emit_text(&j, "convolutions", options->convolutions ? "fast" : "direct");
  emit_text(&j, "precision", options->precision ? "bf16" : "f32");
  emit_open(&j, "results", '[');
  for (int i = 0; i < count; i++)
    emit_row(&j, &rows[i]);
  emit_close(&j, ']');
  emit_close(&j, '}');
  fputc('\n', j.file);
  fclose(j.file);
}
