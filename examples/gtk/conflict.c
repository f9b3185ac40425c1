/* The dialog of a conflict: for each field what it was, what it is here and what it is at the org,
 * and which of them is to stand. */
#include "desk.h"

struct dialog {
    struct desk *desk;
    GtkWindow *window;
    gint64 conflict;
    GPtrArray *names;   /* of the fields; none where a record was deleted on one side */
    GPtrArray *choices; /* three buttons of which one is down, for each of them or for the record */
};

static void dialog_free(gpointer data) {
    struct dialog *dialog = data;
    g_ptr_array_unref(dialog->names);
    g_ptr_array_unref(dialog->choices);
    g_free(dialog);
}

enum { MINE, THEIRS, LATER, CHOICES };

static GtkCheckButton *button_of(struct dialog *dialog, guint nr, int which) {
    return g_ptr_array_index(dialog->choices, nr * CHOICES + (guint)which);
}

static const char *choice(struct dialog *dialog, guint nr) {
    static const char *const KEEP[] = {"mine", "theirs", "later"};
    int which = MINE;
    while (which < LATER && !gtk_check_button_get_active(button_of(dialog, nr, which))) {
        which++;
    }
    return KEEP[which];
}

/* What was chosen, in the form of attache_resolve(). */
static char *resolution(struct dialog *dialog) {
    JsonNode *node = json_node_alloc();
    if (dialog->names->len == 0) {
        json_node_init_string(node, choice(dialog, 0));
    } else {
        JsonObject *fields = json_object_new();
        for (guint nr = 0; nr < dialog->names->len; nr++) {
            json_object_set_string_member(fields, g_ptr_array_index(dialog->names, nr), choice(dialog, nr));
        }
        json_node_take_object(json_node_init(node, JSON_NODE_OBJECT), fields);
    }
    char *json = json_to_string(node, FALSE);
    json_node_unref(node);
    return json;
}

static void on_decide(GtkButton *button, gpointer data) {
    (void)button;
    struct dialog *dialog = data;
    struct desk *desk = dialog->desk;
    attache_error_t *error = NULL;
    char *json = resolution(dialog);
    attache_status_t status = attache_resolve(desk->attache, dialog->conflict, attache_str(json), &error);
    g_free(json);
    if (desk_ok(desk, status, error)) {
        gtk_window_destroy(dialog->window);
        list_refresh(desk);
        desk_count(desk);
        desk_say(desk, "decided");
    }
}

static void on_cancel(GtkButton *button, gpointer data) {
    (void)button;
    struct dialog *dialog = data;
    desk_say(dialog->desk, "the conflict waits");
    gtk_window_destroy(dialog->window);
}

/* Has one side stand for all fields. */
static void choose_all(struct dialog *dialog, int which) {
    for (guint nr = 0; nr < dialog->choices->len / CHOICES; nr++) {
        gtk_check_button_set_active(button_of(dialog, nr, which), TRUE);
    }
}

static void on_all_mine(GtkButton *button, gpointer data) {
    (void)button;
    choose_all(data, MINE);
}

static void on_all_theirs(GtkButton *button, gpointer data) {
    (void)button;
    choose_all(data, THEIRS);
}

static void cell(GtkGrid *grid, GtkWidget *child, int column, int row) {
    gtk_widget_set_valign(child, GTK_ALIGN_CENTER);
    gtk_grid_attach(grid, child, column, row, 1, 1);
}

/* Three choices in a row, mine at first. */
static void add_choice(struct dialog *dialog, GtkGrid *grid, int row, const char *mine, const char *theirs) {
    const char *const words[CHOICES] = {mine, theirs, "Decide later"};
    GtkCheckButton *first = NULL;
    for (int which = 0; which < CHOICES; which++) {
        GtkWidget *button = gtk_check_button_new_with_label(*words[which] ? words[which] : "(empty)");
        gtk_check_button_set_group(GTK_CHECK_BUTTON(button), first);
        first = first ? first : GTK_CHECK_BUTTON(button);
        cell(grid, button, 2 + which, row);
        g_ptr_array_add(dialog->choices, button);
    }
    gtk_check_button_set_active(first, TRUE);
}

/* A row for each field, under their heads. */
static void draw(struct dialog *dialog, GtkGrid *grid, JsonObject *conflict) {
    static const char *const HEADS[] = {"Field", "Before", "Mine", "Theirs", ""};
    JsonArray *fields = json_object_get_array_member(conflict, "fields");
    for (int column = 0; column < 5; column++) {
        cell(grid, style_label(HEADS[column], "heading"), column, 0);
    }
    for (guint nr = 0; nr < json_array_get_length(fields); nr++) {
        JsonObject *field = json_array_get_object_element(fields, nr);
        char *base = desk_shown(json_object_get_member(field, "base"));
        char *local = desk_shown(json_object_get_member(field, "local"));
        char *remote = desk_shown(json_object_get_member(field, "remote"));
        cell(grid, style_label(json_object_get_string_member(field, "label"), NULL), 0, (int)nr + 1);
        cell(grid, style_label(*base ? base : "(empty)", "caption"), 1, (int)nr + 1);
        add_choice(dialog, grid, (int)nr + 1, local, remote);
        g_ptr_array_add(dialog->names, g_strdup(json_object_get_string_member(field, "name")));
        g_free(base);
        g_free(local);
        g_free(remote);
    }
    if (json_array_get_length(fields) == 0) {
        cell(grid, style_label("The record", NULL), 0, 1);
        add_choice(dialog, grid, 1, "Keep mine", "Take theirs");
        /* A record is there or it is not: it cannot wait in part. */
        gtk_widget_set_sensitive(GTK_WIDGET(button_of(dialog, 0, LATER)), FALSE);
    }
}

/* What happened, in a sentence. */
static char *told(JsonObject *conflict) {
    const char *kind = json_object_get_string_member(conflict, "kind");
    char *title = desk_shown(json_object_get_member(conflict, "title"));
    const char *what = g_str_equal(kind, "deleted_at_remote") ? "was deleted at the org, and edited here"
                       : g_str_equal(kind, "deleted_here")    ? "was deleted here, and edited at the org"
                                                              : "was edited on both sides";
    char *sentence =
        g_strdup_printf("%s %s %s.", json_object_get_string_member(conflict, "object"), title, what);
    g_free(title);
    return sentence;
}

/* The buttons below: all of one side on the left, what ends the dialog on the right. */
static GtkWidget *decisions_new(struct dialog *dialog) {
    static const struct {
        const char *label;
        GCallback clicked;
    } BUTTONS[] = {{"All _mine", G_CALLBACK(on_all_mine)},
                   {"All _theirs", G_CALLBACK(on_all_theirs)},
                   {"_Cancel", G_CALLBACK(on_cancel)},
                   {"_Decide", G_CALLBACK(on_decide)}};
    GtkWidget *row = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6), *button = NULL;
    for (size_t nr = 0; nr < G_N_ELEMENTS(BUTTONS); nr++) {
        button = gtk_button_new_with_mnemonic(BUTTONS[nr].label);
        g_signal_connect(button, "clicked", BUTTONS[nr].clicked, dialog);
        gtk_widget_set_hexpand(button, nr == 2);
        gtk_widget_set_halign(button, nr == 2 ? GTK_ALIGN_END : GTK_ALIGN_FILL);
        gtk_box_append(GTK_BOX(row), button);
    }
    gtk_widget_add_css_class(button, "suggested-action");
    gtk_window_set_default_widget(dialog->window, button);
    return row;
}

static void dialog_show(struct desk *desk, JsonObject *conflict) {
    struct dialog *dialog = g_new0(struct dialog, 1);
    GtkWidget *page = gtk_box_new(GTK_ORIENTATION_VERTICAL, 15), *grid = gtk_grid_new();
    *dialog = (struct dialog){desk, style_dialog(desk, "Conflict"), json_object_get_int_member(conflict, "id"),
                              g_ptr_array_new_with_free_func(g_free), g_ptr_array_new()};
    char *sentence = told(conflict), *title = desk_shown(json_object_get_member(conflict, "title"));
    style_margins(page, 18);
    gtk_widget_add_css_class(grid, "card");
    gtk_grid_set_column_spacing(GTK_GRID(grid), 24);
    gtk_grid_set_row_spacing(GTK_GRID(grid), 12);
    draw(dialog, GTK_GRID(grid), conflict);
    gtk_box_append(GTK_BOX(page), style_label(*title ? title : "A record without a name", "record"));
    gtk_box_append(GTK_BOX(page), style_label(sentence, NULL));
    gtk_box_append(GTK_BOX(page), grid);
    gtk_box_append(GTK_BOX(page), decisions_new(dialog));
    g_object_set_data_full(G_OBJECT(dialog->window), "dialog", dialog, dialog_free);
    gtk_window_set_child(dialog->window, page);
    gtk_window_present(dialog->window);
    gtk_widget_grab_focus(gtk_window_get_default_widget(dialog->window));
    desk_say(desk, "conflict: %s", sentence);
    g_free(title);
    g_free(sentence);
}

/* Shows the oldest conflict. */
void conflict_show(struct desk *desk) {
    attache_error_t *error = NULL;
    attache_text_t *text = NULL;
    if (!desk_ok(desk, attache_conflicts(desk->attache, &text, &error), error)) {
        return;
    }
    JsonNode *node = desk_json(text);
    JsonArray *conflicts = json_node_get_array(node);
    if (json_array_get_length(conflicts) > 0) {
        dialog_show(desk, json_array_get_object_element(conflicts, 0));
    } else {
        desk_say(desk, "no conflicts");
    }
    json_node_unref(node);
}
