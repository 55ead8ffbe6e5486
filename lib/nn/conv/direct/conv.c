/* Convolutions of 1x1 and 3x3, stride 1 and 2, written here for AVX-512, in oneDNN's layout of blocks of 16 channels. They
 * come nearer to what the processor can do than oneDNN, and finish their results on the way to memory: ReLU's bits, its
 * backward, the join of two branches. Other shapes are oneDNN's.
 *
 *   forward:       dst[oc] = bias[oc] + sum over ic, taps of weights[oc][ic][tap] * src[ic][place + tap] [+ dst], ReLU
 *   backward_data: the same with the roles of channels exchanged and the taps reversed, once for every pair of phases (phase.h)
 *
 * Work is cut into strips (kernel.h) of rows; of a 1x1 convolution of stride 1 a whole image is one row. A thread takes a run
 * of strips, for a chunk of places one group of output channels after the other: the chunk's size decides whether src or the
 * weights are read again. */
#include "base/simd.h"
#include "nn/conv/conv.h"
#include "nn/conv/direct/kernel.h"
#include "nn/conv/phase.h"

enum { CHUNK_BYTES = 384 << 10 }; /* of src: a part of the second-level cache */

/* Forward, or one pair of backward's phases, each a convolution of its own: place (y, x) of dst is at (y, x) * spread + at, its
 * tap (i, j) at (y, x) * step + first + (i, j) of src. Blocks are of 16 channels; the last group may have fewer. */
typedef struct subconv {
  isc_strip_kind kind;
  int32_t src_h, src_w, dst_h, dst_w; /* of an image */
  int32_t rows, columns, row_strips;  /* of places */
  int32_t step, first_h, first_w, taps_h, taps_w;
  int32_t spread, at_h, at_w;
  int32_t in_blocks, out_blocks, group, groups; /* group: blocks of output channels in one */
  int64_t chunk;                                /* strips */
  float *weights; /* [group][block of in][kh][kw][in lane][block of group][out lane] */
} subconv;

enum { LARGEST_STRIDE = 2, SUBCONVS = 1 + LARGEST_STRIDE * LARGEST_STRIDE };

struct isc_conv {
  iscp_context *context;
  isc_conv_shape shape;
  bool relu, sum;
  float *bias;
  subconv subconvs[SUBCONVS]; /* forward, then backward's phases */
  int32_t count;
};

/* ---- Plan ---- */

static bool takes(const iscp_context *context, const isc_conv_desc *desc) {
  const isc_conv_shape *s = &desc->shape;
  return !desc->training && (s->k == 1 || s->k == 3) && s->stride >= 1 && s->stride <= LARGEST_STRIDE && s->pad == s->k / 2 &&
         desc->src_block == ISC_LANES && desc->dst_block == ISC_LANES &&
         iscp_context_precision(context) == ISCP_PRECISION_F32 && !desc->winograd && isc_cpu_has(ISC_CPU_AVX512F);
}

static int64_t weight_count(const subconv *w) {
  return (int64_t)w->in_blocks * w->out_blocks * ISC_LANES * ISC_LANES * w->taps_h * w->taps_w;
}

/* Strips of all images. */
static int64_t strip_count(const isc_conv *conv, const subconv *w) { return (int64_t)conv->shape.n * w->rows * w->row_strips; }

/* Chunks of places outside, groups inside: src is read once, the weights once a chunk. One chunk of everything: the
 * weights are read once, src once a group. The less memory is moved the better. */
static int64_t choose_chunk(const isc_conv *conv, const subconv *w) {
  int64_t strips = strip_count(conv, w), places = (int64_t)w->rows * w->columns;
  int64_t read = w->taps_w > 1 ? places * w->step * w->step : places;
  double src = 4.0 * ISC_LANES * (double)conv->shape.n * w->in_blocks * (double)read;
  double weights = 4.0 * (double)weight_count(w), chunks = src / CHUNK_BYTES;
  if (chunks <= 1 || weights + w->groups * src <= src + chunks * weights)
    return strips;
  int64_t chunk = (int64_t)((double)strips / chunks);
  return chunk < 1 ? 1 : chunk;
}

static void plan_strips(const isc_conv *conv, subconv *w, int32_t in, int32_t out) {
  w->in_blocks = (int32_t)isc_blocks(in, ISC_LANES);
  w->out_blocks = (int32_t)isc_blocks(out, ISC_LANES);
  w->row_strips = (w->columns + ISC_STRIP - 1) / ISC_STRIP;
  int32_t longest = w->row_strips ? (w->columns + w->row_strips - 1) / w->row_strips : 0;
  w->group = longest <= ISC_STRIP_OF_3 ? 3 : 2;
  w->groups = (w->out_blocks + w->group - 1) / w->group;
  w->chunk = choose_chunk(conv, w);
}

/* Without padding and steps rows need not be told apart. */
static void make_flat(subconv *w) {
  w->src_w = w->dst_w = w->columns = w->rows * w->columns;
  w->src_h = w->dst_h = w->rows = 1;
}

static subconv plan_forward(const isc_conv *conv) {
  static const isc_strip_kind kinds[2][LARGEST_STRIDE] = {{ISC_STRIP_1X1, ISC_STRIP_1X1_STEP_2},
                                                          {ISC_STRIP_3X3, ISC_STRIP_3X3_STEP_2}};
  const isc_conv_shape *s = &conv->shape;
  subconv w = {.kind = kinds[s->k == 3][s->stride - 1],
               .src_h = s->ih, .src_w = s->iw, .dst_h = s->oh, .dst_w = s->ow, .rows = s->oh, .columns = s->ow,
               .step = s->stride, .first_h = -s->pad, .first_w = -s->pad, .taps_h = s->k, .taps_w = s->k, .spread = 1};
  if (w.kind == ISC_STRIP_1X1)
    make_flat(&w);
  plan_strips(conv, &w, s->ic, s->oc);
  return w;
}

/* At most one column of taps lies outside on each side, and on the left only of 3x3: the loops count on it. */
static subconv plan_backward(const isc_conv *conv, int32_t a, int32_t b) {
  const isc_conv_shape *s = &conv->shape;
  subconv w = {.src_h = s->oh, .src_w = s->ow, .dst_h = s->ih, .dst_w = s->iw,
               .rows = isc_phase_size(s, s->ih, a), .columns = isc_phase_size(s, s->iw, b),
               .step = 1, .first_h = isc_phase_first(s, a), .first_w = isc_phase_first(s, b),
               .taps_h = isc_phase_taps(s, a), .taps_w = isc_phase_taps(s, b), .spread = s->stride, .at_h = a, .at_w = b};
  w.kind = s->stride == 1 ? (s->k == 1 ? ISC_STRIP_1X1 : ISC_STRIP_3X3)
           : w.taps_w == 2 ? ISC_STRIP_PHASE_2 : ISC_STRIP_PHASE_1;
  if (w.kind == ISC_STRIP_1X1)
    make_flat(&w);
  plan_strips(conv, &w, s->oc, s->ic);
  if (w.taps_h * w.taps_w == 0)
    w.in_blocks = 0; /* nothing is added up, zeros are written */
  return w;
}

static void plan(isc_conv *conv, const isc_conv_desc *desc) {
  conv->shape = desc->shape;
  conv->relu = desc->relu;
  conv->sum = desc->sum;
  conv->subconvs[conv->count++] = plan_forward(conv);
  for (int32_t a = 0; desc->gradient && a < desc->shape.stride; a++)
    for (int32_t b = 0; b < desc->shape.stride; b++)
      conv->subconvs[conv->count++] = plan_backward(conv, a, b);
}

/* The number that output channel `out` takes of input channel `in` at a tap; 0 for channels that pad a block. */
static float weight_at(const isc_conv_desc *desc, const subconv *w, bool backward, int32_t out, int32_t in, int32_t tap) {
  const isc_conv_shape *s = &desc->shape;
  int32_t oc = backward ? in : out, ic = backward ? out : in, kh = tap / w->taps_w, kw = tap % w->taps_w;
  if (oc >= s->oc || ic >= s->ic)
    return 0;
  if (backward) {
    kh = isc_phase_kernel(s, w->at_h, kh);
    kw = isc_phase_kernel(s, w->at_w, kw);
  }
  return desc->weights[(((int64_t)oc * s->ic + ic) * s->k + kh) * s->k + kw];
}

static void pack(subconv *w, const isc_conv_desc *desc, bool backward) {
  int32_t taps = w->taps_h * w->taps_w;
  float *to = w->weights;
  for (int32_t first = 0; first < w->out_blocks; first += w->group) {
    int32_t lanes = (w->out_blocks - first < w->group ? w->out_blocks - first : w->group) * ISC_LANES;
    for (int32_t block = 0; block < w->in_blocks; block++)
      for (int32_t tap = 0; tap < taps; tap++)
        for (int32_t in = 0; in < ISC_LANES; in++)
          for (int32_t out = 0; out < lanes; out++)
            *to++ = weight_at(desc, w, backward, first * ISC_LANES + out, block * ISC_LANES + in, tap);
  }
}

static iscp_status pack_all(isc_conv *conv, const isc_conv_desc *desc) {
  const isc_conv_shape *s = &desc->shape;
  conv->bias = isc_calloc(conv->context, (size_t)conv->subconvs[0].out_blocks, ISC_LANES * sizeof(float));
  if (!conv->bias)
    return ISCP_ERROR_MEMORY;
  for (int32_t o = 0; o < s->oc; o++)
    conv->bias[o] = desc->bias[o];
  for (int32_t i = 0; i < conv->count; i++) {
    subconv *w = &conv->subconvs[i];
    if (!weight_count(w))
      continue;
    w->weights = isc_alloc(conv->context, (size_t)weight_count(w) * sizeof(float));
    if (!w->weights)
      return ISCP_ERROR_MEMORY;
    pack(w, desc, i > 0);
  }
  return ISCP_OK;
}

static void destroy(isc_conv *conv) {
  if (!conv)
    return;
  iscp_context *context = conv->context;
  isc_free(context, conv->bias);
  for (int32_t i = 0; i < conv->count; i++)
    isc_free(context, conv->subconvs[i].weights);
  isc_free(context, conv);
  isc_context_drop(context);
}

static iscp_status create(isc_conv **out, const iscp_context *context, const isc_conv_desc *desc) {
  *out = NULL;
  if (!takes(context, desc))
    return isc_fail(ISCP_ERROR_UNSUPPORTED, "layer \"%s\" is none of the convolutions written for this CPU", desc->name);
  isc_conv *conv = isc_calloc(context, 1, sizeof *conv);
  if (!conv)
    return ISCP_ERROR_MEMORY;
  conv->context = isc_context_hold(context);
  plan(conv, desc);
  if (desc->weights && pack_all(conv, desc) != ISCP_OK) {
    destroy(conv);
    return ISCP_ERROR_MEMORY;
  }
  *out = conv;
  return ISCP_OK;
}

/* ---- Run ---- */

/* Where a strip is. Strips are numbered over all images; those of a row differ by one place at most, the longer ones
 * first. */
typedef struct position {
  int64_t n;
  int32_t y, strip;
} position;

static position find_strip(const subconv *w, int64_t index) {
  int64_t row = index / w->row_strips;
  return (position){row / w->rows, (int32_t)(row % w->rows), (int32_t)(index % w->row_strips)};
}

static void move_on(position *p, const subconv *w) {
  if (++p->strip < w->row_strips)
    return;
  p->strip = 0;
  if (++p->y < w->rows)
    return;
  p->y = 0;
  p->n++;
}

/* One strip of the group that begins with `first_block`; `s` has what is the same for all strips of it. */
static void run_strip(const subconv *w, isc_strip s, const position *p, int32_t first_block, isc_strip_fn *const *kernels) {
  int32_t shortest = w->columns / w->row_strips, longer = w->columns % w->row_strips;
  int32_t first = p->strip * shortest + (p->strip < longer ? p->strip : longer), last = first + shortest - (p->strip >= longer);
  int32_t h = p->y * w->step + w->first_h, left = first * w->step + w->first_w, right = last * w->step + w->first_w + w->taps_w;
  int64_t word = (p->n * w->out_blocks + first_block) * s.bits_plane + (int64_t)(p->y * w->spread + w->at_h) * w->dst_w +
                 first * w->spread + w->at_w;
  s.src += p->n * w->in_blocks * s.src_plane + h * s.src_row + (int64_t)left * ISC_LANES;
  s.first_kh = h < 0 ? -h : 0;
  s.last_kh = w->src_h - h < w->taps_h ? w->src_h - h : w->taps_h;
  s.left = left < 0;
  s.right = right > w->src_w;
  s.dst += word * ISC_LANES;
  s.keep = s.keep ? s.keep + word : NULL;
  s.bits = s.bits ? s.bits + word : NULL;
  kernels[p->strip < longer](&s);
}

/* `count` strips from `index` on, for one group. */
static void run_group(const subconv *w, isc_strip s, int64_t index, int64_t count, int32_t group) {
  int32_t first_block = group * w->group, shortest = w->columns / w->row_strips;
  int32_t blocks = w->out_blocks - first_block < w->group ? w->out_blocks - first_block : w->group;
  bool more = w->columns % w->row_strips;
  isc_strip_fn *const kernels[] = {isc_strip_kernel(w->kind, blocks, shortest),
                                   isc_strip_kernel(w->kind, blocks, shortest + more)};
  if (s.weights)
    s.weights += (int64_t)first_block * w->in_blocks * w->taps_h * w->taps_w * ISC_LANES * ISC_LANES;
  s.bias = s.bias ? s.bias + first_block * ISC_LANES : NULL;
  position p = find_strip(w, index);
  for (int64_t i = 0; i < count; i++, move_on(&p, w))
    run_strip(w, s, &p, first_block, kernels);
}

/* Items first .. last - 1 of (chunk, group, strip of the chunk). */
static void run_items(const isc_conv *conv, const subconv *w, const isc_strip *s, int64_t first, int64_t last) {
  int64_t strips = strip_count(conv, w), count;
  for (int64_t i = first; i < last; i += count) {
    int64_t base = i / (w->chunk * w->groups) * w->chunk;
    int64_t length = strips - base < w->chunk ? strips - base : w->chunk, inside = i - base * w->groups;
    count = length - inside % length < last - i ? length - inside % length : last - i;
    run_group(w, *s, base + inside % length, count, (int32_t)(inside / length));
  }
}

static void run(const isc_conv *conv, const subconv *w, isc_strip s) {
  int64_t items = strip_count(conv, w) * w->groups;
  int32_t threads = iscp_context_threads(conv->context);
  s.weights = w->weights;
  s.src_plane = (int64_t)w->src_h * w->src_w * ISC_LANES;
  s.src_row = (int64_t)w->src_w * ISC_LANES;
  s.bits_plane = (int64_t)w->dst_h * w->dst_w;
  s.dst_plane = s.bits_plane * ISC_LANES;
  s.blocks = w->in_blocks;
  s.taps_h = w->taps_h;
#pragma omp parallel for schedule(static) num_threads(threads)
  for (int32_t t = 0; t < threads; t++)
    run_items(conv, w, &s, items * t / threads, items * (t + 1) / threads);
}

static iscp_status forward_bits(isc_conv *conv, const float *src, float *dst, uint16_t *bits, void *scratch) {
  (void)scratch;
  run(conv, &conv->subconvs[0],
      (isc_strip){.src = src, .dst = dst, .bias = conv->bias, .sum = conv->sum, .relu = conv->relu, .bits = bits});
  return ISCP_OK;
}

static iscp_status forward(isc_conv *conv, const float *src, float *dst, void *scratch) {
  return forward_bits(conv, src, dst, NULL, scratch);
}

static iscp_status backward_data_join(isc_conv *conv, const float *diff_dst, float *diff_src, bool add,
                                      const uint16_t *bits, void *scratch) {
  (void)scratch;
  for (int32_t i = 1; i < conv->count; i++)
    if (!add || conv->subconvs[i].in_blocks)
      run(conv, &conv->subconvs[i], (isc_strip){.src = diff_dst, .dst = diff_src, .sum = add, .keep = bits});
  return ISCP_OK;
}

static iscp_status backward_data(isc_conv *conv, const float *diff_dst, float *diff_src, void *scratch) {
  return backward_data_join(conv, diff_dst, diff_src, false, NULL, scratch);
}

/* ---- Sizes and names ---- */

static size_t scratch(const isc_conv *conv) {
  (void)conv;
  return 0;
}

static size_t bytes(const isc_conv *conv) {
  int64_t numbers = conv->subconvs[0].out_blocks * ISC_LANES; /* bias */
  for (int32_t i = 0; i < conv->count; i++)
    numbers += weight_count(&conv->subconvs[i]);
  return (size_t)numbers * sizeof(float);
}

static const char *text(const isc_conv *conv, bool backward) {
  (void)conv, (void)backward;
  return "own:avx512";
}

const isc_conv_implementation isc_conv_direct = {
    .name = "direct",
    .backend = ISCP_BACKEND_ONEDNN,
    .takes = takes,
    .create = create,
    .destroy = destroy,
    .scratch = scratch,
    .bytes = bytes,
    .text = text,
    .forward = forward,
    .backward_data = backward_data,
    .forward_bits = forward_bits,
    .backward_data_join = backward_data_join,
};
