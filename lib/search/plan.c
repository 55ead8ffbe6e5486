/* The batch plan of a search: how many jobs take their steps together (lanes), and how many images one pass of the network
 * takes. Samples are independent in evaluation mode, so the plan changes results by rounding only; but a larger batch keeps the
 * machine busier where the layers are small. */
#include "search/search.h"

enum {
  MOST_MEASURED = 128, /* rows of the largest plan that is tried */
  REPEATS = 3,
  WORTH = 50 /* times the images of a measurement, and a search is long enough to be measured for */
};

static const double ENOUGH = 0.25; /* seconds for a plan, so that all of it takes a second or two */
static const double GAIN = 0.97; /* a larger plan must be this much faster than the best of the smaller ones */

/* What the lanes hold beside the session: their images and gradients. */
static int64_t own_bytes(const iscp_search *search, int64_t lanes) {
  return lanes * (search->options.batch * search->numbers * (int64_t)sizeof(float) + search->slopes * (int64_t)sizeof(double));
}

/* Beyond a good batch a pass gains nothing but memory: then several equal ones, as far as possible. */
static int32_t wished_pass(const iscp_search *search, int32_t rows) {
  int32_t good = isc_model_good_batch(search->model, ISCP_SESSION_GRADIENT);
  if (search->options.pass_batch)
    return search->options.pass_batch < rows ? search->options.pass_batch : rows;
  int32_t passes = (rows + good - 1) / good;
  return (rows + passes - 1) / passes;
}

static iscp_status pass_of(int32_t *pass, const iscp_search *search, int64_t lanes) {
  return isc_budget_fit(pass, search->model, wished_pass(search, (int32_t)lanes * search->options.batch),
                        ISCP_SESSION_GRADIENT, own_bytes(search, lanes));
}

/* ---- Measuring ---- */

/* Numbers as a network sees them: around 0, none so small that it slows the processor down. */
static void fill(float *numbers, int64_t count, float size) {
  for (int64_t i = 0; i < count; i++)
    numbers[i] = size * (float)((i * 37 % 101) - 50) / 50;
}

static iscp_status pass_seconds(double *seconds, iscp_session *session) {
  double start = isc_clock();
  ISC_TRY(isc_session_forward(session));
  ISC_TRY(isc_session_backward(session));
  *seconds = isc_clock() - start;
  return ISCP_OK;
}

static iscp_status run_timed(double *best, const iscp_search *search, iscp_session *session, int32_t rows) {
  isc_compute compute;
  fill(isc_session_src(session, 0), rows * search->numbers, 2);
  fill(isc_session_diff_logits(session, 0), (int64_t)rows * isc_model_classes(search->model), 0.1f);
  ISC_TRY(isc_session_enter(session, &compute));
  double seconds = 0;
  iscp_status status = pass_seconds(&seconds, session); /* the first one meets cold memory */
  *best = seconds;
  double start = isc_clock();
  for (int i = 0; status == ISCP_OK && i < REPEATS && (i == 0 || isc_clock() - start < ENOUGH); i++) {
    status = pass_seconds(&seconds, session);
    *best = seconds < *best ? seconds : *best;
  }
  isc_session_leave(session, &compute);
  return status;
}

/* Seconds an image, forward and backward, of a pass of `rows`. */
static iscp_status time_rows(double *seconds, const iscp_search *search, int32_t rows) {
  iscp_session *session;
  ISC_TRY(iscp_session_create(&session, search->model, rows, ISCP_SESSION_GRADIENT));
  iscp_status status = run_timed(seconds, search, session, rows);
  iscp_session_destroy(session);
  *seconds /= rows;
  return status;
}

/* Doubles the lanes until a doubling brings nothing, or no larger pass, or jobs or MOST_MEASURED end it. */
static iscp_status measure(int64_t *lanes, const iscp_search *search, int64_t jobs) {
  double best = 0;
  int32_t before = 0;
  *lanes = 1;
  for (int64_t tried = 1; tried <= jobs; tried *= 2) {
    int32_t rows = (int32_t)tried * search->options.batch, pass;
    double seconds = 0;
    if (tried > 1 && rows > MOST_MEASURED)
      break;
    iscp_status status = pass_of(&pass, search, tried);
    if (tried > 1 && (status == ISCP_ERROR_MEMORY || pass <= before))
      break;
    ISC_TRY(status);
    before = pass;
    ISC_TRY(time_rows(&seconds, search, pass));
    isc_log(search->context, ISCP_LOG_INFO, "%lld lanes of %d images, %d a pass: %.3f ms an image", (long long)tried,
            search->options.batch, pass, 1e3 * seconds);
    if (tried > 1 && seconds > GAIN * best)
      break;
    best = seconds;
    *lanes = tried;
  }
  return ISCP_OK;
}

/* ---- Choosing ---- */

static bool is_long(const iscp_search *search, int64_t jobs) {
  int64_t dn = 0;
  for (int64_t i = 0; i < iscp_dataset_count(search->dataset); i++)
    dn += search->searched[i];
  return dn * search->options.epochs * jobs > (int64_t)WORTH * 2 * MOST_MEASURED * (REPEATS + 1);
}

/* No round of jobs much emptier than the others. */
static int64_t even_rounds(int64_t lanes, int64_t jobs) {
  int64_t rounds = (jobs + lanes - 1) / lanes;
  return (jobs + rounds - 1) / rounds;
}

static iscp_status choose_lanes(int64_t *lanes, const iscp_search *search, int64_t jobs) {
  const iscp_search_options *o = &search->options;
  *lanes = o->lanes;
  if (!o->lanes && is_long(search, jobs))
    ISC_TRY(measure(lanes, search, jobs));
  else if (!o->lanes)
    *lanes = isc_model_good_batch(search->model, ISCP_SESSION_GRADIENT) / o->batch;
  if (!o->lanes)
    *lanes = even_rounds(*lanes < 1 ? 1 : *lanes > jobs ? jobs : *lanes, jobs);
  return ISCP_OK;
}

/* Lanes that nobody asked for make room for one image a pass. */
static iscp_status fit_lanes(int64_t *lanes, iscp_search *search) {
  iscp_status status;
  while ((status = pass_of(&search->pass, search, *lanes)) == ISCP_ERROR_MEMORY && !search->options.lanes && *lanes > 1)
    *lanes /= 2;
  return status;
}

iscp_status isc_search_plan(iscp_search *search, int64_t jobs) {
  int64_t lanes;
  ISC_TRY(choose_lanes(&lanes, search, jobs));
  if (lanes * search->options.batch > ISC_LARGEST_BATCH)
    return isc_fail(ISCP_ERROR_ARGUMENT, "lanes times batch is %lld, expected at most %d",
                    (long long)lanes * search->options.batch, ISC_LARGEST_BATCH);
  ISC_TRY(fit_lanes(&lanes, search));
  search->lane_count = (int32_t)lanes;
  if (search->options.pass_batch > search->pass)
    isc_log(search->context, ISCP_LOG_INFO, "a pass takes %d images, not %d: lanes and memory allow no more", search->pass,
            search->options.pass_batch);
  return ISCP_OK;
}
