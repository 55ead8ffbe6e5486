/* The input contract: what its fields say together, and what it means to the network. The range of each by itself is the table's
 * (base/fields/input.c).
 *
 * A contract that came through isc_contract_read is whole and in range; everything else in the library relies on that.
 * What a contract does to pictures is in picture.c, its JSON in contract_read.c. */
#include "data/contract/contract.h"

enum { BYTE_RANGE = 255 };

const iscp_contract isc_contract_defaults = {
    .struct_size = sizeof(iscp_contract),
    .channels = 3,
    .height = 224,
    .width = 224,
    .std = {1, 1, 1},
    .range = 1,
};

iscp_status iscp_contract_init(iscp_contract *contract, uint32_t struct_size) {
  return isc_fields_init(contract, struct_size, &isc_contract_fields);
}

int64_t isc_contract_pixels(const iscp_contract *contract) { return (int64_t)contract->height * contract->width; }

int64_t isc_contract_numbers(const iscp_contract *contract) {
  return contract->channels * isc_contract_pixels(contract);
}

int isc_contract_same_form(const iscp_contract *a, const iscp_contract *b) {
  return a->channels == b->channels && a->height == b->height && a->width == b->width;
}

/* (x range - mean) / std = (x - mean / range) / (std / range), and channel c of R, G, B is the network's channel n. A range
 * of 1 and the order R, G, B leave the numbers as they are. */
isc_scale isc_contract_scale(const iscp_contract *contract) {
  isc_scale scale;
  for (int c = 0; c < 3; c++) {
    int n = isc_contract_reverses(contract) ? 2 - c : c;
    scale.mean[c] = (float)((double)contract->mean[n] / contract->range);
    scale.std[c] = (float)((double)contract->std[n] / contract->range);
  }
  return scale;
}

int isc_contract_reverses(const iscp_contract *contract) {
  return contract->order == ISCP_ORDER_BGR && contract->channels == 3;
}

/* ---- Ranges ---- */

/* Some picture must be left between two pads. */
static iscp_status check_pads(const char *names, int32_t before, int32_t after, int32_t side) {
  if (before + after >= side)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s add up to %d, expected less than the padded side of %d", names,
                    before + after, side);
  return ISCP_OK;
}

/* A side that is set, by resizing or by the crop, and the pads make the side of the input. */
static iscp_status check_side(const char *name, int32_t side, int32_t pads, const char *whole_name, int32_t whole) {
  if (side + pads != whole)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is %d and the pads beside it %d, expected the %s of %d together", name, side,
                    pads, whole_name, whole);
  return ISCP_OK;
}

static iscp_status check_both(const char *a_name, int32_t a, const char *b_name, int32_t b) {
  if (!a != !b)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is 0 and %s %d, expected both or neither", a ? b_name : a_name,
                    a ? a_name : b_name, a ? a : b);
  return ISCP_OK;
}

static iscp_status check_geometry(const iscp_contract *c) {
  ISC_TRY(check_both("resize_height", c->resize_height, "resize_width", c->resize_width));
  ISC_TRY(check_both("crop_height", c->crop_height, "crop_width", c->crop_width));
  if (c->resize_short && c->resize_height)
    return isc_fail(ISCP_ERROR_ARGUMENT, "resize_short is %d and resize_height %d, expected one of them",
                    c->resize_short, c->resize_height);
  int32_t rows = c->pad_top + c->pad_bottom, columns = c->pad_left + c->pad_right;
  if (c->crop_height) {
    ISC_TRY(check_side("crop_height", c->crop_height, rows, "height", c->height));
    return check_side("crop_width", c->crop_width, columns, "width", c->width);
  }
  if (c->resize_height) {
    ISC_TRY(check_side("resize_height", c->resize_height, rows, "height", c->height));
    return check_side("resize_width", c->resize_width, columns, "width", c->width);
  }
  return ISCP_OK;
}

/* A range between the two that there are, and a deviation that is 0 once it is divided by the range. */
static iscp_status check_values(const iscp_contract *contract) {
  if (contract->channels != 1 && contract->channels != 3)
    return isc_fail(ISCP_ERROR_ARGUMENT, "channels is %d, expected 1 or 3", contract->channels);
  if (contract->range != 1 && contract->range != BYTE_RANGE)
    return isc_fail(ISCP_ERROR_ARGUMENT, "range is %d, expected 1 or 255", contract->range);
  for (int c = 0; c < 3; c++)
    if (contract->std[c] / (float)contract->range <= 0)
      return isc_fail(ISCP_ERROR_ARGUMENT, "std[%d] is %g, expected more than 0", c, (double)contract->std[c]);
  return ISCP_OK;
}

iscp_status isc_contract_range(const iscp_contract *contract) {
  ISC_TRY(check_values(contract));
  ISC_TRY(isc_fields_check(contract, &isc_contract_fields));
  ISC_TRY(check_pads("pad_top and pad_bottom", contract->pad_top, contract->pad_bottom, contract->height));
  ISC_TRY(check_pads("pad_left and pad_right", contract->pad_left, contract->pad_right, contract->width));
  return check_geometry(contract);
}

iscp_status isc_contract_read(iscp_contract *contract, const iscp_contract *given) {
  *contract = (iscp_contract){0};
  if (!given)
    return isc_fail(ISCP_ERROR_ARGUMENT, "the contract is NULL");
  iscp_contract whole;
  ISC_TRY(isc_fields_read(&whole, &isc_contract_fields, given));
  whole.range = whole.range ? whole.range : 1;
  ISC_TRY(isc_contract_range(&whole));
  *contract = whole;
  return ISCP_OK;
}

iscp_status isc_contract_give(iscp_contract *given, const iscp_contract *contract) {
  return isc_fields_write(given, &isc_contract_fields, contract);
}

iscp_status iscp_contract_validate(const iscp_contract *contract) {
  iscp_contract whole;
  return isc_contract_read(&whole, contract);
}
