/* The dialog of a conflict: for each field what it was, what it is here and what it is at the org,
 * and which of them is to stand. */
#include "desk.h"

struct dialog {
    struct desk *desk;
    GtkWindow *window;
    gint64 conflict;
    GPtrArray *names;   /* of the fields; none where a record was deleted on one side */
    GPtrArray *choices; /* a drop-down for each of them, or one for the record */
};

static void dialog_free(gpointer data) {
    struct dialog *dialog = data;
    g_ptr_array_unref(dialog->names);
    g_ptr_array_unref(dialog->choices);
    g_free(dialog);
}

static const char *choice(struct dialog *dialog, guint nr) {
    static const char *const KEEP[] = {"mine", "theirs", "later"};
    return KEEP[gtk_drop_down_get_selected(g_ptr_array_index(dialog->choices, nr))];
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

static void cell(GtkGrid *grid, const char *text, int column, int row) {
    GtkWidget *label = gtk_label_new(text);
    gtk_label_set_wrap(GTK_LABEL(label), TRUE);
    gtk_label_set_xalign(GTK_LABEL(label), 0);
    gtk_grid_attach(grid, label, column, row, 1, 1);
}

static void add_choice(struct dialog *dialog, GtkGrid *grid, int row, gboolean later) {
    const char *words[] = {"Keep mine", "Take theirs", later ? "Decide later" : NULL, NULL};
    GtkWidget *chosen = gtk_drop_down_new_from_strings(words);
    gtk_grid_attach(grid, chosen, 4, row, 1, 1);
    g_ptr_array_add(dialog->choices, chosen);
}

/* A row for each field, under their heads. */
static void draw(struct dialog *dialog, GtkGrid *grid, JsonObject *conflict) {
    static const char *const HEADS[] = {"Field", "Before", "Mine", "Theirs", ""};
    static const char *const VALUES[] = {"label", "base", "local", "remote"};
    JsonArray *fields = json_object_get_array_member(conflict, "fields");
    for (int column = 0; column < 5; column++) {
        cell(grid, HEADS[column], column, 1);
    }
    for (guint nr = 0; nr < json_array_get_length(fields); nr++) {
        JsonObject *field = json_array_get_object_element(fields, nr);
        for (int column = 0; column < 4; column++) {
            char *shown = desk_shown(json_object_get_member(field, VALUES[column]));
            cell(grid, shown, column, (int)nr + 2);
            g_free(shown);
        }
        g_ptr_array_add(dialog->names, g_strdup(json_object_get_string_member(field, "name")));
        add_choice(dialog, grid, (int)nr + 2, TRUE);
    }
    if (json_array_get_length(fields) == 0) {
        add_choice(dialog, grid, 2, FALSE);
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

static void dialog_show(struct desk *desk, JsonObject *conflict) {
    struct dialog *dialog = g_new0(struct dialog, 1);
    GtkWidget *grid = gtk_grid_new(), *decide = gtk_button_new_with_mnemonic("_Decide");
    *dialog = (struct dialog){desk, GTK_WINDOW(gtk_window_new()), json_object_get_int_member(conflict, "id"),
                              g_ptr_array_new_with_free_func(g_free), g_ptr_array_new()};
    char *sentence = told(conflict);
    GtkWidget *head = gtk_label_new(sentence);
    gtk_label_set_xalign(GTK_LABEL(head), 0);
    gtk_widget_set_margin_start(grid, 12);
    gtk_widget_set_margin_end(grid, 12);
    gtk_widget_set_margin_top(grid, 12);
    gtk_widget_set_margin_bottom(grid, 12);
    gtk_grid_set_column_spacing(GTK_GRID(grid), 18);
    gtk_grid_set_row_spacing(GTK_GRID(grid), 9);
    gtk_grid_attach(GTK_GRID(grid), head, 0, 0, 5, 1);
    draw(dialog, GTK_GRID(grid), conflict);
    gtk_grid_attach(GTK_GRID(grid), decide, 4, 2 + (int)MAX(dialog->names->len, 1), 1, 1);
    g_signal_connect(decide, "clicked", G_CALLBACK(on_decide), dialog);
    g_object_set_data_full(G_OBJECT(dialog->window), "dialog", dialog, dialog_free);
    gtk_window_set_title(dialog->window, "Conflict");
    gtk_window_set_modal(dialog->window, TRUE);
    gtk_window_set_transient_for(dialog->window, desk->window);
    gtk_window_set_child(dialog->window, grid);
    gtk_window_set_default_widget(dialog->window, decide);
    gtk_window_present(dialog->window);
    gtk_widget_grab_focus(decide);
    desk_say(desk, "conflict: %s", sentence);
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
