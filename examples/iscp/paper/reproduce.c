/* iscp reproduce: the paper's tables and figures on the user's models and images, with the paper's numbers beside them and
 * what the paper says of them checked. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "paper/reproduce.h"

enum { MOST_WORDS = 64, MOST_ITEMS = 18 };

static const char *const images[] = {"heldout", "all", NULL}; /* ISCP_IMAGES_* count from 1 in this order */

static const option_line lines[] = {
    {'o', "output", "DIR", "the folder of the results; made if missing, gone on with if there",
     .how = OPTION_TEXT, .at = offsetof(search_settings, folder)},
    {0, "images", "WHICH", "PW is measured on all images (the paper's tables) or heldout (those\n"
                                "not searched on); default all",
     .how = OPTION_WORD, .at = offsetof(search_settings, report.images), .low = 1, .words = images, .expected = "heldout or all"},
    {0, "scale", "N", "picture pixels an image pixel, 1 to 64; default: chosen by size",
     .how = OPTION_COUNT, .at = offsetof(search_settings, report.scale), .low = 1, .high = 64, .expected = "1 to 64"},
    {0},
};

static const option_group own_group = {"Results", lines, NULL};
static const option_group *const groups[] = {&own_group, &search_group, &data_group, &model_group, &machine_group, NULL};

/* ---- Words: items, models, images ---- */

typedef struct request {
  const reproduce_item *items[MOST_ITEMS];
  int item_count, all;
  const char **models, *data;
  int model_count;
} request;

static const reproduce_item *const lists[] = {table_items, figure_items, model_items, attention_items, method_items};
enum { LISTS = sizeof lists / sizeof *lists };

static const reproduce_item *find_item(const char *name) {
  for (int i = 0; i < LISTS; i++)
    for (const reproduce_item *item = lists[i]; item->name; item++)
      if (!strcmp(item->name, name))
        return item;
  return NULL;
}

/* "table9" is no model's name, unless there is such a file. */
static int is_like_item(const char *word) {
  size_t begin = !strncmp(word, "table", 5) ? 5 : !strncmp(word, "figure", 6) ? 6 : 0;
  return begin && isdigit((unsigned char)word[begin]) && access(word, F_OK) != 0;
}

static void add_item(request *asked, const reproduce_item *item) {
  for (int i = 0; i < asked->item_count; i++)
    if (asked->items[i] == item)
      return;
  asked->items[asked->item_count++] = item;
}

/* As the paper counts them. */
static void add_all(request *asked) {
  char name[16];
  for (int i = 1; i <= 6; i++) {
    snprintf(name, sizeof name, "table%d", i);
    add_item(asked, find_item(name));
  }
  for (int i = 1; i <= 12; i++) {
    snprintf(name, sizeof name, "figure%d", i);
    add_item(asked, find_item(name));
  }
}

/* Of "all" those are left out that need more models; one that was asked for by name is refused. */
static int check_models(request *asked, int by_name) {
  int kept = 0;
  for (int i = 0; i < asked->item_count; i++) {
    const reproduce_item *item = asked->items[i];
    if (asked->model_count >= item->models) {
      asked->items[kept++] = item;
      continue;
    }
    complain("reproduce: %s %s %s, %d model%s given", item->name, i < by_name ? "needs" : "is left out: it needs",
             item->needs, asked->model_count, asked->model_count == 1 ? " is" : "s are");
    if (i < by_name)
      return EXIT_USAGE;
  }
  asked->item_count = kept;
  return EXIT_DONE;
}

static int read_words(request *asked, const char **words) {
  int i = 0, count = 0;
  while (count < MOST_WORDS && words[count])
    count++;
  for (; i < count; i++) {
    const reproduce_item *item = find_item(words[i]);
    if (item)
      add_item(asked, item);
    else if (!strcmp(words[i], "all"))
      asked->all = 1;
    else
      break;
  }
  if (i < count && is_like_item(words[i])) {
    complain("reproduce: there is no \"%s\", expected table1 to table6, figure1 to figure12, or all", words[i]);
    return EXIT_USAGE;
  }
  if (!i) {
    complain("reproduce: \"%s\" is no table or figure, expected one before the models, as table1, or all", words[0]);
    return EXIT_USAGE;
  }
  if (count - i < 2) {
    complain("reproduce: too few words, expected models and images behind the tables and figures");
    return EXIT_USAGE;
  }
  asked->models = words + i;
  asked->model_count = count - i - 1;
  asked->data = words[count - 1];
  int by_name = asked->item_count;
  if (asked->all)
    add_all(asked);
  return check_models(asked, by_name);
}

static int check_settings(const search_settings *own) {
  if (!own->folder || !*own->folder) {
    complain("reproduce: no folder for the results, expected -o DIR");
    return EXIT_USAGE;
  }
  if (own->search.canvas_kinds & ISCP_CANVAS_USER) {
    complain("reproduce: --canvas names a file, expected kinds: positive, negative, random, white");
    return EXIT_USAGE;
  }
  if (own->learn_canvas || own->learning) {
    complain("reproduce: canvases are learned for table6 and figure6 alone, expected no --learn-canvas, --turns, --canvas-step");
    return EXIT_USAGE;
  }
  return EXIT_DONE;
}

/* ---- The page ---- */

static void open_page(reproduction *r) {
  study *s = &r->study;
  char *path = study_path(s, "index.html");
  s->page = page_open(path, "What do deep nets learn? Reproduced",
                      "Tables and figures of Zhao et al., on other models and images, the paper's numbers beside them.");
  free(path);
  page_text(s->page, "PW, the predictive power of a pattern, is the share of other classes' images that are taken for its class "
                     "once "
                     "it is put on them (ASR), over the accuracy on the class's own; it may exceed 1. mPW and STD are the "
                     "mean and the deviation over the classes. What the paper says is listed below each table and figure, "
                     "and how often it held at the end.");
  show_origin(s);
}

static int close_page(reproduction *r) {
  char summary[128];
  snprintf(summary, sizeof summary, "What the paper says: %d held, %d did not hold, %d not judged.", r->held, r->failed,
           r->open);
  page_heading(r->study.page, "In all");
  page_text(r->study.page, "%s", summary);
  int code = page_close(r->study.page);
  printf("%s\n\npage: %s/index.html; tables and plots: %s/*.csv, *.svg, *.png; searches: %s/runs\n", summary,
         r->study.folder, r->study.folder, r->study.folder);
  return code == EXIT_DONE ? r->study.code : code;
}

/* "table1" -> "Table 1. PW by pattern size". */
static void item_title(char *text, size_t size, const reproduce_item *item) {
  size_t word = strcspn(item->name, "0123456789");
  snprintf(text, size, "%c%.*s %s. %c%s", toupper((unsigned char)item->name[0]), (int)word - 1, item->name + 1,
           item->name + word, toupper((unsigned char)item->title[0]), item->title + 1);
}

static iscp_status show_item(reproduction *r, const reproduce_item *item) {
  char title[160];
  item_title(title, sizeof title, item);
  progress_clear();
  printf("%s\n\n", title);
  page_heading(r->study.page, title);
  iscp_status status = item->show(r);
  show_relations(r);
  return status;
}

static int reproduce(reproduction *r, const request *asked) {
  study *s = &r->study;
  for (int i = 0; i < asked->item_count; i++)
    asked->items[i]->plan(r);
  int code = study_estimate(s);
  if (code == EXIT_DONE)
    code = study_go(s);
  if (code != EXIT_DONE)
    return code;
  open_page(r);
  iscp_status status = r->study.page ? ISCP_OK : ISCP_ERROR_IO;
  for (int i = 0; i < asked->item_count && status == ISCP_OK; i++)
    status = show_item(r, asked->items[i]);
  if (status == ISCP_OK)
    return close_page(r);
  if (!s->page)
    return EXIT_FAILED;
  page_drop(s->page);
  return study_stopped(s, status);
}

static int run(const cli_command *command, int argc, char **argv) {
  search_settings own;
  inputs in = {0};
  const char *words[MOST_WORDS + 1] = {0};
  request asked = {0};
  iscp_status status = search_settings_init(&own);
  if (status != ISCP_OK)
    return failed(status);
  own.search.preset = ISCP_PRESET_PAPER;
  own.report.images = ISCP_IMAGES_ALL;
  int code = options_read(command, argc, argv, (void *[]){&own, &own, &in.data, &in.model, &in.machine}, words);
  if (code == EXIT_DONE)
    code = read_words(&asked, words);
  if (code == EXIT_DONE)
    code = check_settings(&own);
  reproduction r = {.study = {.folder = own.folder, .word = "reproduce", .base = &own}};
  if (code == EXIT_DONE)
    code = study_open(&r.study, &in, asked.models, asked.model_count, asked.data);
  if (code == EXIT_DONE)
    code = reproduce(&r, &asked);
  free(r.relations);
  study_close(&r.study);
  search_settings_release(&own);
  return code < 0 ? EXIT_DONE : code;
}

const cli_command reproduce_command = {
    .name = "reproduce",
    .summary = "Make the paper's tables and figures on your models",
    .usage = "ITEM... MODEL... DATA -o DIR",
    .text = "An ITEM is table1 to table6, figure1 to figure12, or all: those that the models given do for.\n"
            "Leaves DIR/index.html with everything in it, a CSV a table, an SVG and a PNG a plot, and the\n"
            "searches. The paper's numbers stand beside the measured ones, and what it says is checked:\n\n"
            "  iscp reproduce table1 figure1 examples/models/fashion-natural.safetensors \\\n"
            "    examples/data/t10k-2000-images-idx3-ubyte.gz -o paper\n"
            "  iscp reproduce all natural.safetensors backdoored=bd.safetensors cifar-10-binary.tar.gz -o paper\n"
            "\n"
            "A model is called by its file's name, or as NAME=MODEL says. Tables and most figures are of the\n"
            "first. The search is the paper's text (--preset paper) unless options say otherwise. Ctrl-C\n"
            "keeps what is done; the same command goes on with it.\n",
    .arguments = 3,
    .optional = MOST_WORDS - 3,
    .groups = groups,
    .run = run,
};
