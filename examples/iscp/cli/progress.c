/* How far the work is and how long it will take, on standard error: a bar that is drawn over on a terminal, elsewhere a
 * line every ten seconds. */
#include <stdarg.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"

enum { BAR = 24, SECONDS_A_LINE = 10, MOST_STAGES = 8 };

/* The time of a stage is the sum of its turns: searching and measuring take turns, class by class. */
typedef struct stage {
  const char *name;
  double elapsed, seen;      /* seconds in the stage, and when it was last heard of */
  int64_t first_done, done;
} stage;

static struct {
  char label[64];
  stage stages[MOST_STAGES], *current;
  double told; /* when the last line was printed */
  int shown;   /* 1 while a bar stands on the terminal */
} state;

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

void progress_label(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(state.label, sizeof state.label, format, arguments);
  va_end(arguments);
}

void progress_clear(void) {
  if (state.shown)
    fputs("\r\033[K", stderr);
  state.shown = 0;
}

static stage *find_stage(const char *name) {
  stage *found = state.stages;
  while (found < state.stages + MOST_STAGES - 1 && found->name && strcmp(found->name, name))
    found++;
  return found;
}

/* Steps that are counted anew begin the stage anew. */
static const stage *follow(const iscp_progress *progress, double now) {
  stage *s = find_stage(progress->stage);
  if (!s->name || strcmp(s->name, progress->stage) || progress->done < s->done)
    *s = (stage){.name = progress->stage, .seen = now, .first_done = progress->done};
  if (s == state.current)
    s->elapsed += now - s->seen;
  s->seen = now;
  s->done = progress->done;
  state.current = s;
  if (!state.told)
    state.told = now;
  return s;
}

/* ", 1:23 left", once there is something to judge by. */
static void print_left(char text[32], const iscp_progress *progress, const stage *s) {
  int64_t done = progress->done - s->first_done, left = progress->total - progress->done;
  text[0] = 0;
  if (done <= 0 || left <= 0 || s->elapsed < 1)
    return;
  int64_t rest = (int64_t)(s->elapsed * (double)left / (double)done + 0.5);
  if (rest >= 3600)
    snprintf(text, 32, ", %lld:%02lld:%02lld left", (long long)rest / 3600, (long long)rest / 60 % 60,
             (long long)rest % 60);
  else
    snprintf(text, 32, ", %lld:%02lld left", (long long)rest / 60, (long long)rest % 60);
}

static void draw_bar(const iscp_progress *progress, int percent, const char *left) {
  char bar[BAR + 1];
  for (int i = 0; i < BAR; i++)
    bar[i] = i < percent * BAR / 100 ? '#' : '.';
  bar[BAR] = 0;
  fprintf(stderr, "\r\033[K%.32s%s%.16s [%s] %3d %%%s", state.label, *state.label ? ": " : "", progress->stage, bar,
          percent, left);
  fflush(stderr);
  state.shown = 1;
}

static void print_line(const iscp_progress *progress, int percent, const char *left, double now) {
  if (now - state.told < SECONDS_A_LINE)
    return;
  state.told = now;
  fprintf(stderr, "%s%s%s %d %%%s\n", state.label, *state.label ? ": " : "", progress->stage, percent, left);
}

int progress_show(const iscp_progress *progress, void *user) {
  (void)user;
  static int terminal = -1;
  if (terminal < 0)
    terminal = isatty(STDERR_FILENO);
  double now = seconds();
  char left[32];
  print_left(left, progress, follow(progress, now));
  int percent = progress->total > 0 ? (int)(100 * progress->done / progress->total) : 0;
  if (terminal)
    draw_bar(progress, percent, left);
  else
    print_line(progress, percent, left, now);
  return signals_came();
}
