/* The window of unsent work: what waits on this device, why, and what may be done about it. */
#include "desk.h"

static void on_discard(GtkButton *button, gpointer data) {
    struct desk *desk = data;
    attache_error_t *error = NULL;
    gint64 *seq = g_object_get_data(G_OBJECT(button), "seq");
    if (desk_ok(desk, attache_discard(desk->attache, *seq, &error), error)) {
        desk_say(desk, "taken back");
    }
    gtk_window_destroy(GTK_WINDOW(gtk_widget_get_root(GTK_WIDGET(button))));
    list_refresh(desk);
    desk_count(desk);
}

static void on_retry(GtkButton *button, gpointer data) {
    struct desk *desk = data;
    attache_error_t *error = NULL;
    gint64 *seq = g_object_get_data(G_OBJECT(button), "seq");
    if (desk_ok(desk, attache_retry(desk->attache, *seq, &error), error)) {
        desk_say(desk, "will be sent again");
    }
    gtk_window_destroy(GTK_WINDOW(gtk_widget_get_root(GTK_WIDGET(button))));
    desk_count(desk);
}

static GtkWidget *button_new(const char *label, gint64 seq, GCallback clicked, struct desk *desk) {
    GtkWidget *button = gtk_button_new_with_mnemonic(label);
    g_object_set_data_full(G_OBJECT(button), "seq", g_memdup2(&seq, sizeof seq), g_free);
    g_signal_connect(button, "clicked", clicked, desk);
    gtk_widget_set_valign(button, GTK_ALIGN_CENTER);
    return button;
}

/* The fields of a mutation, for a person. To be freed. */
static char *fields_of(JsonObject *mutation) {
    GString *text = g_string_new(NULL);
    JsonObject *fields = json_object_get_object_member(mutation, "fields");
    GList *names = json_object_get_members(fields);
    for (GList *name = names; name != NULL; name = name->next) {
        char *value = desk_shown(json_object_get_member(fields, name->data));
        g_string_append_printf(text, "%s%s: %s", text->len ? "  ·  " : "", (char *)name->data, *value ? value : "(empty)");
        g_free(value);
    }
    g_list_free(names);
    return g_string_free(text, FALSE);
}

/* One mutation: what it is, its fields, and the org's words if it was refused. */
static GtkWidget *mutation_new(struct desk *desk, JsonObject *mutation) {
    GtkWidget *row = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12), *words = gtk_box_new(GTK_ORIENTATION_VERTICAL, 3);
    const char *kind = json_object_get_string_member(mutation, "kind");
    const char *state = json_object_get_string_member(mutation, "state");
    char *title = g_strdup_printf("%c%s %s", g_ascii_toupper(kind[0]), kind + 1,
                                  json_object_get_string_member(mutation, "object"));
    char *fields = fields_of(mutation);
    gtk_box_append(GTK_BOX(words), style_label(title, "heading"));
    if (*fields) {
        gtk_box_append(GTK_BOX(words), style_label(fields, "caption"));
    }
    JsonArray *problems = json_object_get_array_member(mutation, "problems");
    for (guint nr = 0; nr < json_array_get_length(problems); nr++) {
        JsonObject *problem = json_array_get_object_element(problems, nr);
        gtk_box_append(GTK_BOX(words), style_label(json_object_get_string_member(problem, "message"), "problem"));
    }
    gtk_widget_set_hexpand(words, TRUE);
    GtkWidget *pill = style_label(state, "pill");
    if (g_str_equal(state, "rejected") || g_str_equal(state, "conflicted")) {
        gtk_widget_add_css_class(pill, g_str_equal(state, "rejected") ? "refused" : "disputed");
    }
    gtk_widget_set_valign(pill, GTK_ALIGN_CENTER);
    gtk_box_append(GTK_BOX(row), words);
    gtk_box_append(GTK_BOX(row), pill);
    gint64 seq = json_object_get_int_member(mutation, "seq");
    if (g_str_equal(state, "rejected") || g_str_equal(state, "in doubt")) {
        gtk_box_append(GTK_BOX(row), button_new("_Send again", seq, G_CALLBACK(on_retry), desk));
    }
    gtk_box_append(GTK_BOX(row), button_new("_Discard", seq, G_CALLBACK(on_discard), desk));
    style_margins(row, 9);
    g_free(title);
    g_free(fields);
    return row;
}

void pending_show(struct desk *desk) {
    attache_error_t *error = NULL;
    attache_text_t *text = NULL;
    if (!desk_ok(desk, attache_pending(desk->attache, &text, &error), error)) {
        return;
    }
    JsonNode *node = desk_json(text);
    JsonArray *mutations = json_node_get_array(node);
    GtkWindow *window = style_dialog(desk, "Unsent work");
    GtkWidget *list = gtk_list_box_new(), *scrolled = gtk_scrolled_window_new();
    for (guint nr = 0; nr < json_array_get_length(mutations); nr++) {
        gtk_list_box_append(GTK_LIST_BOX(list), mutation_new(desk, json_array_get_object_element(mutations, nr)));
    }
    GtkWidget *none = style_label("Everything was sent.", "empty");
    gtk_widget_set_halign(none, GTK_ALIGN_CENTER);
    style_margins(none, 48);
    gtk_list_box_set_placeholder(GTK_LIST_BOX(list), none);
    gtk_list_box_set_selection_mode(GTK_LIST_BOX(list), GTK_SELECTION_NONE);
    gtk_list_box_set_show_separators(GTK_LIST_BOX(list), TRUE);
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scrolled), list);
    gtk_window_set_default_size(window, 640, 320);
    gtk_window_set_child(window, scrolled);
    gtk_window_present(window);
    desk_say(desk, "%u unsent", json_array_get_length(mutations));
    json_node_unref(node);
}

void desk_count(struct desk *desk) {
    attache_error_t *error = NULL;
    attache_text_t *text = NULL;
    if (!desk_ok(desk, attache_status(desk->attache, &text, &error), error)) {
        return;
    }
    JsonNode *node = desk_json(text);
    JsonObject *status = json_node_get_object(node);
    gint64 unsent = json_object_get_int_member(status, "pending") + json_object_get_int_member(status, "in_doubt") +
                    json_object_get_int_member(status, "rejected");
    gint64 conflicts = json_object_get_int_member(status, "conflicts");
    char label[64];
    g_snprintf(label, sizeof label, "%" G_GINT64_FORMAT " _unsent", unsent);
    gtk_button_set_label(desk->pending, label);
    g_snprintf(label, sizeof label, "%" G_GINT64_FORMAT " _conflicts", conflicts);
    gtk_button_set_label(desk->conflicts, label);
    gtk_widget_set_sensitive(GTK_WIDGET(desk->conflicts), conflicts > 0);
    if (conflicts > 0) {
        gtk_widget_add_css_class(GTK_WIDGET(desk->conflicts), "destructive-action");
    } else {
        gtk_widget_remove_css_class(GTK_WIDGET(desk->conflicts), "destructive-action");
    }
    json_node_unref(node);
}
