/* The difference between oneDNN 2.6+ and 3.x, in one place: memory descriptors are structs in 2.x and owned handles in 3.x, and a
 * primitive descriptor takes an operation descriptor in 2.x. Everything else is the same in both. */
#ifndef ISC_NN_ONEDNN_SHIM_H
#define ISC_NN_ONEDNN_SHIM_H

#include <oneapi/dnnl/dnnl.h>

#if DNNL_VERSION_MAJOR < 2 || (DNNL_VERSION_MAJOR == 2 && DNNL_VERSION_MINOR < 6)
#error "oneDNN 2.6 or newer is needed"
#endif
#if DNNL_CPU_RUNTIME != DNNL_RUNTIME_OMP && DNNL_CPU_RUNTIME != DNNL_RUNTIME_SEQ
#error "oneDNN must be built for OpenMP (or sequential): a context's thread count would not govern TBB, SYCL or a thread pool"
#endif

/* A descriptor that is owned, and one that is borrowed. */
typedef dnnl_memory_desc_t isc_md;
#if DNNL_VERSION_MAJOR >= 3
typedef const_dnnl_memory_desc_t isc_const_md;
#else
typedef const dnnl_memory_desc_t *isc_const_md;
#endif

static inline isc_const_md isc_md_view(const isc_md *md) {
#if DNNL_VERSION_MAJOR >= 3
  return *md;
#else
  return md;
#endif
}

static inline dnnl_status_t isc_md_create(isc_md *md, int ndims, const dnnl_dims_t dims, dnnl_data_type_t type,
                                          dnnl_format_tag_t tag) {
#if DNNL_VERSION_MAJOR >= 3
  return dnnl_memory_desc_create_with_tag(md, ndims, dims, type, tag);
#else
  return dnnl_memory_desc_init_by_tag(md, ndims, dims, type, tag);
#endif
}

static inline void isc_md_destroy(isc_md *md) {
#if DNNL_VERSION_MAJOR >= 3
  if (*md)
    dnnl_memory_desc_destroy(*md);
  *md = NULL;
#else
  (void)md;
#endif
}

/* A convolution's geometry: strides, dilates (none) and padding of both sides. */
typedef struct isc_geometry {
  dnnl_dims_t strides, dilates, padding;
} isc_geometry;

static inline dnnl_status_t isc_conv_forward_pd(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                                dnnl_alg_kind_t algorithm, isc_const_md src, isc_const_md weights,
                                                isc_const_md bias, isc_const_md dst,
                                                const isc_geometry *g, const_dnnl_primitive_attr_t attr) {
#if DNNL_VERSION_MAJOR >= 3
  return dnnl_convolution_forward_primitive_desc_create(pd, engine, dnnl_forward_inference, algorithm, src,
                                                        weights, bias, dst, g->strides, g->dilates, g->padding,
                                                        g->padding, attr);
#else
  dnnl_convolution_desc_t desc;
  dnnl_status_t status =
      dnnl_dilated_convolution_forward_desc_init(&desc, dnnl_forward_inference, algorithm, src, weights, bias,
                                                 dst, g->strides, g->dilates, g->padding, g->padding);
  return status == dnnl_success ? dnnl_primitive_desc_create(pd, &desc, attr, engine, NULL) : status;
#endif
}

static inline dnnl_status_t isc_conv_backward_data_pd(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                                      dnnl_alg_kind_t algorithm, isc_const_md diff_src,
                                                      isc_const_md weights, isc_const_md diff_dst,
                                                      const isc_geometry *g, const_dnnl_primitive_desc_t hint,
                                                      const_dnnl_primitive_attr_t attr) {
#if DNNL_VERSION_MAJOR >= 3
  return dnnl_convolution_backward_data_primitive_desc_create(pd, engine, algorithm, diff_src, weights,
                                                              diff_dst, g->strides, g->dilates, g->padding, g->padding,
                                                              hint, attr);
#else
  dnnl_convolution_desc_t desc;
  dnnl_status_t status =
      dnnl_dilated_convolution_backward_data_desc_init(&desc, algorithm, diff_src, weights, diff_dst,
                                                       g->strides, g->dilates, g->padding, g->padding);
  return status == dnnl_success ? dnnl_primitive_desc_create(pd, &desc, attr, engine, hint) : status;
#endif
}

static inline dnnl_status_t isc_conv_backward_weights_pd(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                                         isc_const_md src, isc_const_md diff_weights,
                                                         isc_const_md diff_dst, const isc_geometry *g,
                                                         const_dnnl_primitive_desc_t hint,
                                                         const_dnnl_primitive_attr_t attr) {
#if DNNL_VERSION_MAJOR >= 3
  return dnnl_convolution_backward_weights_primitive_desc_create(pd, engine, dnnl_convolution_direct, src, diff_weights,
                                                                 NULL, diff_dst, g->strides, g->dilates, g->padding,
                                                                 g->padding, hint, attr);
#else
  dnnl_convolution_desc_t desc;
  dnnl_status_t status =
      dnnl_dilated_convolution_backward_weights_desc_init(&desc, dnnl_convolution_direct, src, diff_weights, NULL,
                                                          diff_dst, g->strides, g->dilates, g->padding, g->padding);
  return status == dnnl_success ? dnnl_primitive_desc_create(pd, &desc, attr, engine, hint) : status;
#endif
}

static inline dnnl_status_t isc_append_sum(dnnl_post_ops_t ops) {
#if DNNL_VERSION_MAJOR >= 3
  return dnnl_post_ops_append_sum(ops, 1.0f, 0, dnnl_data_type_undef);
#else
  return dnnl_post_ops_append_sum(ops, 1.0f);
#endif
}

static inline dnnl_status_t isc_append_relu(dnnl_post_ops_t ops) {
#if DNNL_VERSION_MAJOR >= 3
  return dnnl_post_ops_append_eltwise(ops, dnnl_eltwise_relu, 0.0f, 0.0f);
#else
  return dnnl_post_ops_append_eltwise(ops, 1.0f, dnnl_eltwise_relu, 0.0f, 0.0f);
#endif
}

#endif
