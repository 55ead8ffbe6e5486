/* What the paper says of a table or figure, and whether it holds on the models at hand: never left unsaid. */
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>

#include "paper/reproduce.h"

void relate(reproduction *r, int holds, const char *claim, const char *numbers, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, numbers);
  vsnprintf(text, sizeof text, numbers, arguments);
  va_end(arguments);
  relation *longer = realloc(r->relations, ((size_t)r->relation_count + 1) * sizeof *longer);
  if (!longer) {
    complain("out of memory for a relation");
    exit(EXIT_FAILED);
  }
  r->relations = longer;
  longer[r->relation_count++] = (relation){holds, take_copy(claim), take_copy(text)};
  r->held += holds == 1;
  r->failed += holds == 0;
  r->open += holds < 0;
}

void relate_by_eye(reproduction *r, const char *claim) { relate(r, -1, claim, "for the eye, by the pictures"); }

int judge(int holds, double number) { return isfinite(number) ? holds : -1; }

static const char *verdict(int holds) { return holds < 0 ? "not judged" : holds ? "held" : "did not hold"; }

void show_relations(reproduction *r) {
  for (int i = 0; i < r->relation_count; i++) {
    relation *one = &r->relations[i];
    printf("  %-13s %s: %s\n", verdict(one->holds), one->claim, one->numbers);
    page_text(r->study.page, "The paper: %s. Here: %s (%s).", one->claim, verdict(one->holds), one->numbers);
    free(one->claim);
    free(one->numbers);
  }
  if (r->relation_count)
    putchar('\n');
  r->relation_count = 0;
}
