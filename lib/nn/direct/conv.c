/* Convolutions of stride 1, 1x1 and 3x3, written here for AVX-512, in oneDNN's layout of blocks of 16 channels. They
 * come nearer to what the processor can do than oneDNN, and finish their results on the way to memory: ReLU's bits, its
 * backward, the join of two branches. Other shapes are oneDNN's.
 *
 *   forward:       dst[oc] = bias[oc] + sum over ic, taps of weights[oc][ic][tap] * src[ic][place + tap] [+ dst], ReLU
 *   backward_data: the same with the roles of channels exchanged and the taps reversed
 *
 * Work is cut into strips (kernel.h) of rows; of a 1x1 convolution a whole image is one row. A thread takes a run of
 * strips, for a chunk of places one group of output channels after the other: the chunk's size decides whether src or
 * the weights are read again. */
#include "nn/direct/direct.h"
#include "nn/direct/kernel.h"

enum { CHUNK_BYTES = 384 << 10 }; /* of src: a part of the second-level cache */

/* One direction. Blocks are of 16 channels; the last group may have fewer. */
typedef struct way {
  float *weights; /* [group][block of in][kh][kw][in lane][block of group][out lane] */
  int32_t in_blocks, out_blocks, group, groups; /* group: blocks of output channels in one */
  int64_t chunk; /* strips */
} way;

struct isc_conv {
  iscp_context *context;
  isc_conv_shape shape;
  int32_t rows, row_places, row_strips; /* of an image */
  bool relu, sum;
  float *bias;
  way forward, backward;
};

/* ---- Plan ---- */

static bool is_here(const iscp_context *context, const isc_conv_desc *desc) {
  const isc_conv_shape *s = &desc->shape;
  return (s->k == 1 || s->k == 3) && s->stride == 1 && s->pad == s->k / 2 && desc->src_block == ISC_LANES &&
         desc->dst_block == ISC_LANES && iscp_context_precision(context) == ISCP_PRECISION_F32 && !desc->winograd &&
         isc_strip_kernel(s->k, 1, 1);
}

static int64_t weight_count(const isc_conv_shape *s, const way *w) {
  return (int64_t)w->in_blocks * w->out_blocks * ISC_LANES * ISC_LANES * s->k * s->k;
}

/* Strips of all images. */
static int64_t strip_count(const isc_conv *conv) { return (int64_t)conv->shape.n * conv->rows * conv->row_strips; }

/* Chunks of places outside, groups inside: src is read once, the weights once a chunk. One chunk of everything: the
 * weights are read once, src once a group. The less memory is moved the better. */
static int64_t choose_chunk(const isc_conv *conv, const way *w) {
  const isc_conv_shape *s = &conv->shape;
  int64_t strips = strip_count(conv);
  double src = 4.0 * (double)isc_activation_count(s->n, w->in_blocks * ISC_LANES, s->ih, s->iw, ISC_LANES);
  double weights = 4.0 * (double)weight_count(s, w), chunks = src / CHUNK_BYTES;
  if (chunks <= 1 || weights + w->groups * src <= src + chunks * weights)
    return strips;
  int64_t chunk = (int64_t)((double)strips / chunks);
  return chunk < 1 ? 1 : chunk;
}

static way plan_way(const isc_conv *conv, int32_t in, int32_t out) {
  way w = {.in_blocks = (int32_t)isc_blocks(in, ISC_LANES), .out_blocks = (int32_t)isc_blocks(out, ISC_LANES)};
  int32_t longest = (conv->row_places + conv->row_strips - 1) / conv->row_strips;
  w.group = longest <= ISC_STRIP_OF_3 ? 3 : 2;
  w.groups = (w.out_blocks + w.group - 1) / w.group;
  w.chunk = choose_chunk(conv, &w);
  return w;
}

static void plan(isc_conv *conv, const isc_conv_desc *desc) {
  const isc_conv_shape *s = &desc->shape;
  bool flat = s->k == 1;
  conv->shape = *s;
  conv->relu = desc->relu;
  conv->sum = desc->sum;
  conv->rows = flat ? 1 : s->oh;
  conv->row_places = flat ? s->oh * s->ow : s->ow;
  conv->row_strips = (conv->row_places + ISC_STRIP - 1) / ISC_STRIP;
  conv->forward = plan_way(conv, s->ic, s->oc);
  if (desc->gradient)
    conv->backward = plan_way(conv, s->oc, s->ic);
}

/* The number that output channel `out` takes of input channel `in` at a tap; 0 for channels that pad a block. */
static float weight_at(const isc_conv_desc *desc, bool backward, int32_t out, int32_t in, int32_t tap) {
  const isc_conv_shape *s = &desc->shape;
  int32_t oc = backward ? in : out, ic = backward ? out : in, taps = s->k * s->k;
  if (oc >= s->oc || ic >= s->ic)
    return 0;
  return desc->weights[((int64_t)oc * s->ic + ic) * taps + (backward ? taps - 1 - tap : tap)];
}

static void pack(way *w, const isc_conv_desc *desc, bool backward) {
  int32_t taps = desc->shape.k * desc->shape.k;
  float *to = w->weights;
  for (int32_t first = 0; first < w->out_blocks; first += w->group) {
    int32_t lanes = (w->out_blocks - first < w->group ? w->out_blocks - first : w->group) * ISC_LANES;
    for (int32_t block = 0; block < w->in_blocks; block++)
      for (int32_t tap = 0; tap < taps; tap++)
        for (int32_t in = 0; in < ISC_LANES; in++)
          for (int32_t out = 0; out < lanes; out++)
            *to++ = weight_at(desc, backward, first * ISC_LANES + out, block * ISC_LANES + in, tap);
  }
}

static iscp_status pack_all(isc_conv *conv, const isc_conv_desc *desc) {
  const isc_conv_shape *s = &desc->shape;
  conv->bias = isc_calloc(conv->context, (size_t)conv->forward.out_blocks, ISC_LANES * sizeof(float));
  if (!conv->bias)
    return ISCP_ERROR_MEMORY;
  for (int32_t o = 0; o < s->oc; o++)
    conv->bias[o] = desc->bias[o];
  for (int backward = 0; backward <= desc->gradient; backward++) {
    way *w = backward ? &conv->backward : &conv->forward;
    w->weights = isc_alloc(conv->context, (size_t)weight_count(s, w) * sizeof(float));
    if (!w->weights)
      return ISCP_ERROR_MEMORY;
    pack(w, desc, backward);
  }
  return ISCP_OK;
}

static void destroy(isc_conv *conv) {
  if (!conv)
    return;
  iscp_context *context = conv->context;
  isc_free(context, conv->bias);
  isc_free(context, conv->forward.weights);
  isc_free(context, conv->backward.weights);
  isc_free(context, conv);
  isc_context_drop(context);
}

static iscp_status create(isc_conv **out, const iscp_context *context, const isc_conv_desc *desc) {
  *out = NULL;
  if (!is_here(context, desc))
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

static position find_strip(const isc_conv *conv, int64_t index) {
  int64_t row = index / conv->row_strips;
  return (position){row / conv->rows, (int32_t)(row % conv->rows), (int32_t)(index % conv->row_strips)};
}

static void move_on(position *p, const isc_conv *conv) {
  if (++p->strip < conv->row_strips)
    return;
  p->strip = 0;
  if (++p->y < conv->rows)
    return;
  p->y = 0;
  p->n++;
}

/* One strip of the group that begins with `first_block`; `s` has what is the same for all strips of it. */
static void run_strip(const isc_conv *conv, const way *w, isc_strip s, const position *p, int32_t first_block,
                      isc_strip_fn *const *kernels) {
  int32_t outside = conv->shape.k / 2; /* rows and columns by which tap (0, 0) lies before the place */
  int32_t shortest = conv->row_places / conv->row_strips, longer = conv->row_places % conv->row_strips;
  int64_t place = (int64_t)p->y * conv->row_places + p->strip * shortest + (p->strip < longer ? p->strip : longer);
  int64_t word = (p->n * w->out_blocks + first_block) * s.bits_plane + place;
  s.src += p->n * w->in_blocks * s.src_plane + place * ISC_LANES - outside * (s.src_row + ISC_LANES);
  s.first_kh = p->y == 0 ? outside : 0;
  s.last_kh = p->y == conv->rows - 1 ? conv->shape.k - outside : conv->shape.k;
  s.left = p->strip == 0;
  s.right = p->strip == conv->row_strips - 1;
  s.dst += word * ISC_LANES;
  s.keep = s.keep ? s.keep + word : NULL;
  s.bits = s.bits ? s.bits + word : NULL;
  kernels[p->strip < longer](&s);
}

/* `count` strips from `index` on, for one group. */
static void run_group(const isc_conv *conv, const way *w, isc_strip s, int64_t index, int64_t count, int32_t group) {
  int32_t first_block = group * w->group, k = conv->shape.k, shortest = conv->row_places / conv->row_strips;
  int32_t blocks = w->out_blocks - first_block < w->group ? w->out_blocks - first_block : w->group;
  bool more = conv->row_places % conv->row_strips;
  isc_strip_fn *const kernels[] = {isc_strip_kernel(k, blocks, shortest), isc_strip_kernel(k, blocks, shortest + more)};
  s.weights = w->weights + (int64_t)first_block * w->in_blocks * k * k * ISC_LANES * ISC_LANES;
  s.bias = s.bias ? s.bias + first_block * ISC_LANES : NULL;
  position p = find_strip(conv, index);
  for (int64_t i = 0; i < count; i++, move_on(&p, conv))
    run_strip(conv, w, s, &p, first_block, kernels);
}

/* Items first .. last - 1 of (chunk, group, strip of the chunk). */
static void run_items(const isc_conv *conv, const way *w, const isc_strip *s, int64_t first, int64_t last) {
  int64_t strips = strip_count(conv), count;
  for (int64_t i = first; i < last; i += count) {
    int64_t base = i / (w->chunk * w->groups) * w->chunk;
    int64_t length = strips - base < w->chunk ? strips - base : w->chunk, inside = i - base * w->groups;
    count = length - inside % length < last - i ? length - inside % length : last - i;
    run_group(conv, w, *s, base + inside % length, count, (int32_t)(inside / length));
  }
}

static void run(const isc_conv *conv, const way *w, isc_strip s) {
  int64_t items = strip_count(conv) * w->groups, places = (int64_t)conv->shape.oh * conv->shape.ow;
  int32_t threads = iscp_context_threads(conv->context);
  s.src_plane = s.dst_plane = places * ISC_LANES;
  s.src_row = (int64_t)conv->shape.ow * ISC_LANES;
  s.bits_plane = places;
  s.blocks = w->in_blocks;
#pragma omp parallel for schedule(static) num_threads(threads)
  for (int32_t t = 0; t < threads; t++)
    run_items(conv, w, &s, items * t / threads, items * (t + 1) / threads);
}

static iscp_status forward_bits(isc_conv *conv, const float *src, float *dst, uint16_t *bits, void *scratch) {
  (void)scratch;
  run(conv, &conv->forward,
      (isc_strip){.src = src, .dst = dst, .bias = conv->bias, .sum = conv->sum, .relu = conv->relu, .bits = bits});
  return ISCP_OK;
}

static iscp_status forward(isc_conv *conv, const float *src, float *dst, void *scratch) {
  return forward_bits(conv, src, dst, NULL, scratch);
}

static iscp_status backward_data_join(isc_conv *conv, const float *diff_dst, float *diff_src, bool add,
                                      const uint16_t *bits, void *scratch) {
  (void)scratch;
  run(conv, &conv->backward, (isc_strip){.src = diff_dst, .dst = diff_src, .sum = add, .keep = bits});
  return ISCP_OK;
}

static iscp_status backward_data(isc_conv *conv, const float *diff_dst, float *diff_src, void *scratch) {
  return backward_data_join(conv, diff_dst, diff_src, false, NULL, scratch);
}

/* ---- The table ---- */

static int32_t block(void) { return ISC_LANES; }

static size_t scratch(const isc_conv *conv) {
  (void)conv;
  return 0;
}

static size_t memory(const isc_conv *conv) {
  const isc_conv_shape *s = &conv->shape;
  int64_t weights = weight_count(s, &conv->forward) + weight_count(s, &conv->backward);
  return (size_t)(weights + conv->forward.out_blocks * ISC_LANES) * sizeof(float);
}

static const char *implementation(const isc_conv *conv, bool backward) {
  (void)conv, (void)backward;
  return "own:avx512";
}

const isc_backend isc_backend_direct = {
    .name = "direct",
    .block = block,
    .conv_create = create,
    .conv_destroy = destroy,
    .conv_scratch = scratch,
    .conv_memory = memory,
    .conv_implementation = implementation,
    .conv_forward = forward,
    .conv_backward_data = backward_data,
    .conv_forward_bits = forward_bits,
    .conv_backward_data_join = backward_data_join,
};
