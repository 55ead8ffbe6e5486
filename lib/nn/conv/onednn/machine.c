/* What oneDNN is, which of its CPU kernels run here, and what that means for layouts and threads. */
#include <pthread.h>
#include <stdio.h>

#include "nn/backend.h"
#include "nn/conv/onednn/direction.h"

static pthread_mutex_t creation = PTHREAD_MUTEX_INITIALIZER;

void isc_onednn_lock(void) { pthread_mutex_lock(&creation); }
void isc_onednn_unlock(void) { pthread_mutex_unlock(&creation); }

int32_t isc_onednn_block(void) {
  return (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core) == dnnl_cpu_isa_avx512_core ? 16 : 8;
}

const char *isc_onednn_version(void) {
  static _Thread_local char text[32];
  const dnnl_version_t *version = dnnl_version();
  snprintf(text, sizeof text, "%d.%d.%d", version->major, version->minor, version->patch);
  return text;
}

/* Every instruction set is a mask that contains those it builds on. The newest first, of the headers that compile this:
 * the library that runs may know others. */
static const struct isa {
  dnnl_cpu_isa_t mask;
  const char *name;
} isas[] = {
#if DNNL_VERSION_MAJOR > 3 || (DNNL_VERSION_MAJOR == 3 && DNNL_VERSION_MINOR >= 9)
    {dnnl_cpu_isa_avx10_2_512_amx_2, "avx10_2_amx_2"},
    {dnnl_cpu_isa_avx10_2_512, "avx10_2"},
#endif
#if DNNL_VERSION_MAJOR >= 3
    {dnnl_cpu_isa_avx512_core_amx_fp16, "avx512_core_amx_fp16"},
    {dnnl_cpu_isa_avx512_core_amx, "avx512_core_amx"},
    {dnnl_cpu_isa_avx512_core_fp16, "avx512_core_fp16"},
#else
    {dnnl_cpu_isa_avx512_core_amx, "avx512_core_amx"},
#endif
    {dnnl_cpu_isa_avx512_core_bf16, "avx512_core_bf16"},
    {dnnl_cpu_isa_avx512_core_vnni, "avx512_core_vnni"},
    {dnnl_cpu_isa_avx512_core, "avx512_core"},
#if DNNL_VERSION_MAJOR >= 3
    {dnnl_cpu_isa_avx2_vnni_2, "avx2_vnni_2"},
#endif
    {dnnl_cpu_isa_avx2_vnni, "avx2_vnni"},
    {dnnl_cpu_isa_avx2, "avx2"},
    {dnnl_cpu_isa_avx, "avx"},
    {dnnl_cpu_isa_sse41, "sse41"},
};

const char *isc_onednn_kernels(void) {
  static _Thread_local char text[48];
  unsigned isa = (unsigned)dnnl_get_effective_cpu_isa();
  for (size_t i = 0; i < sizeof isas / sizeof *isas; i++) {
    unsigned mask = (unsigned)isas[i].mask;
    if ((isa & mask) != mask)
      continue;
    snprintf(text, sizeof text, "%s%s", isas[i].name, isa == mask ? "" : " or newer");
    return text;
  }
  return "generic";
}
