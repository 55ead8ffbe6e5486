/* The input contract: what turns a stored image into the network's input.
 *
 * It belongs to the weights and travels with them: iscp_model_save stores it in the safetensors metadata
 * (key "iscp.contract", a JSON object), iscp_model_load reads it from there. A checkpoint of PyTorch has none,
 * so it must be given. All methods of this library work in pixel range [0,1], before the normalisation
 * (x - mean) / std that the network's input goes through. */
#ifndef ISCP_CONTRACT_H
#define ISCP_CONTRACT_H

#include <iscp/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A stored image goes through, in this order: grey <-> colour as `channels` asks (grey is copied to three channels;
 * colour for a one-channel network is refused), zeros padded on four sides; the result must be height x width. A value
 * out of range, or pads that leave no room for a picture, is ISCP_ERROR_ARGUMENT where the contract is used. */
typedef struct iscp_contract {
  uint32_t struct_size; /* sizeof(iscp_contract), set by iscp_contract_init */
  int32_t channels;     /* channels of the network's input, 1 or 3 (R, G, B); default 3 */
  int32_t height;       /* pixels, after padding, 8 to 4096; default 224 */
  int32_t width;        /* pixels, after padding, 8 to 4096; default 224 */
  int32_t pad_top;      /* rows of zeros added above, 0 to 1024; default 0 */
  int32_t pad_bottom;   /* rows of zeros added below, 0 to 1024; default 0 */
  int32_t pad_left;     /* columns of zeros added left, 0 to 1024; default 0 */
  int32_t pad_right;    /* columns of zeros added right, 0 to 1024; default 0 */
  float mean[3];        /* per channel, pixel range [0,1]; default 0 */
  float std[3];         /* per channel, pixel range [0,1], > 0; default 1 */
} iscp_contract;

/* Fills `contract` with the defaults. ISCP_ERROR_ABI as iscp_context_options_init. Since 0.1. */
ISCP_API iscp_status iscp_contract_init(iscp_contract *contract, uint32_t struct_size);

#ifdef __cplusplus
}
#endif
#endif
