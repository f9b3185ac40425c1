/* A desktop client on GTK 4 that works offline: what its files share. */
#ifndef DESK_H
#define DESK_H

#include "attache.h"

#include <gtk/gtk.h>
#include <json-glib/json-glib.h>

/* The client: one window, one store, the record that is shown. */
struct desk {
    attache_t *attache;
    GtkWindow *window;
    GtkLabel *banner; /* what a person must know: being offline, or why something failed */
    GtkLabel *status;
    GtkDropDown *lists;
    GtkListBox *list;
    GtkLabel *none; /* what the list shows where it has no rows */
    GtkBox *form;
    GtkButton *pending, *conflicts;
    GSimpleAction *offline;
    attache_sync_t *sync; /* the one that runs; NULL when none does */
    struct form *shown;
    gboolean tells;  /* each line of the status also goes to stdout, for whoever drives this program */
    GString *untold; /* the lines that do so when they are painted */
};

/* engine.c: what every call to the library needs. */

/* Shows a line of status. */
void desk_say(struct desk *desk, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* Shows a banner of a kind, `offline` or `failed`; without one, that of being offline or none. */
void desk_banner(struct desk *desk, const char *kind, const char *text);
/* Says whether a call succeeded. If not, shows why and frees the error. */
gboolean desk_ok(struct desk *desk, attache_status_t status, attache_error_t *error);
/* Takes an owned text over, as JSON. */
JsonNode *desk_json(attache_text_t *text);
/* A copy of a text; NULL for none. */
char *desk_text(attache_str_t text);
/* Shows a JSON value to a person. */
char *desk_shown(JsonNode *value);
/* Says whether a person works offline. */
gboolean desk_is_offline(struct desk *desk);
/* A button that does what an action of the window does. */
GtkWidget *desk_button(const char *label, const char *action);
/* Opens the store and sets up the org and the briefcase. */
gboolean desk_open(struct desk *desk, const char *path, const char *url, const char *token);

/* style.c: how it looks. */
void style_load(void);
GtkWidget *style_label(const char *text, const char *css_class);
void style_margins(GtkWidget *widget, int margin);
/* A window above that of the client, which Escape closes. */
GtkWindow *style_dialog(struct desk *desk, const char *title);

/* list.c: the lists on the left. */
GtkWidget *list_new(struct desk *desk);
/* Asks again for the rows of the chosen list. */
void list_refresh(struct desk *desk);
/* The object of the chosen list. */
const char *list_object(struct desk *desk);

/* input.c: a field as a widget. */
struct input {
    char *field;
    GtkWidget *box;     /* label, widget and problem, one below the other */
    GtkWidget *widget;
    GtkWidget *problem;
    char *before; /* what it showed at first */
};
struct input *input_new(JsonObject *field, const char *value, gboolean required);
/* What a person sees in an input now. To be freed. */
char *input_text(const struct input *input);
/* Says below the field what is wrong with it; NULL for nothing. */
void input_show_problem(struct input *input, const char *message);
void input_free(gpointer input);

/* form.c: a record, drawn from the layout or from the describe. */
void form_show(struct desk *desk, const char *object, const char *id);
void form_new(struct desk *desk, const char *object);
void form_save(struct desk *desk);
void form_delete(struct desk *desk);
void form_focus(struct desk *desk);
void form_close(struct desk *desk);
void form_free(struct form *form);

/* session.c: syncs beside the event loop. */
void session_start(struct desk *desk);
void session_stop(struct desk *desk);

/* pending.c and conflict.c: the windows of unsent work and of conflicts. */
void pending_show(struct desk *desk);
void conflict_show(struct desk *desk);
/* Brings the numbers on the buttons up to date. */
void desk_count(struct desk *desk);

#endif
