/* A field as a widget, drawn from its describe: label, type, length, picklist, and what is wrong. */
#include "desk.h"

void input_free(gpointer data) {
    struct input *input = data;
    g_free(input->field);
    g_free(input->before);
    g_free(input);
}

char *input_text(const struct input *input) {
    if (GTK_IS_CHECK_BUTTON(input->widget)) {
        return g_strdup(gtk_check_button_get_active(GTK_CHECK_BUTTON(input->widget)) ? "true" : "false");
    }
    if (GTK_IS_DROP_DOWN(input->widget)) {
        GtkStringObject *chosen = gtk_drop_down_get_selected_item(GTK_DROP_DOWN(input->widget));
        return g_strdup(chosen ? gtk_string_object_get_string(chosen) : "");
    }
    return g_strdup(gtk_editable_get_text(GTK_EDITABLE(input->widget)));
}

/* A list of the values of a picklist, with the one that the record has. */
static GtkWidget *picklist_new(JsonObject *field, const char *value) {
    GtkStringList *values = gtk_string_list_new(NULL);
    guint chosen = 0, at = 0;
    gtk_string_list_append(values, "");
    JsonArray *entries = json_object_get_array_member(field, "picklist");
    for (guint nr = 0; nr < json_array_get_length(entries); nr++) {
        const char *one = json_object_get_string_member(json_array_get_object_element(entries, nr), "value");
        gtk_string_list_append(values, one);
        at++;
        chosen = g_strcmp0(one, value) == 0 ? at : chosen;
    }
    if (chosen == 0 && *value) {
        gtk_string_list_append(values, value); /* one that was retired, or of a free list */
        chosen = at + 1;
    }
    GtkWidget *widget = gtk_drop_down_new(G_LIST_MODEL(values), NULL);
    gtk_drop_down_set_selected(GTK_DROP_DOWN(widget), chosen);
    return widget;
}

static GtkWidget *widget_new(JsonObject *field, const char *value) {
    const char *type = json_object_get_string_member(field, "field_type");
    if (g_str_equal(type, "boolean")) {
        GtkWidget *check = gtk_check_button_new();
        gtk_check_button_set_active(GTK_CHECK_BUTTON(check), g_str_equal(value, "true"));
        return check;
    }
    if (g_str_equal(type, "picklist")) {
        return picklist_new(field, value);
    }
    GtkWidget *entry = gtk_entry_new();
    gtk_editable_set_text(GTK_EDITABLE(entry), value);
    if (g_str_equal(type, "date")) {
        gtk_entry_set_placeholder_text(GTK_ENTRY(entry), "2026-12-31");
    }
    gint64 length = json_object_get_int_member(field, "length");
    gtk_entry_set_max_length(GTK_ENTRY(entry), length > 0 && length < 65536 ? (int)length : 0);
    return entry;
}

struct input *input_new(JsonObject *field, const char *value, gboolean required) {
    struct input *input = g_new0(struct input, 1);
    char *text = g_strdup_printf("%s%s", json_object_get_string_member(field, "label"), required ? " *" : "");
    input->field = g_strdup(json_object_get_string_member(field, "name"));
    input->widget = widget_new(field, value ? value : "");
    input->before = input_text(input);
    input->problem = style_label(NULL, "problem");
    input->box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 3);
    gtk_widget_set_visible(input->problem, FALSE);
    gtk_widget_set_hexpand(input->box, TRUE);
    gtk_widget_set_valign(input->box, GTK_ALIGN_START);
    gtk_box_append(GTK_BOX(input->box), style_label(text, "caption"));
    gtk_box_append(GTK_BOX(input->box), input->widget);
    gtk_box_append(GTK_BOX(input->box), input->problem);
    g_free(text);
    return input;
}

void input_show_problem(struct input *input, const char *message) {
    gtk_label_set_text(GTK_LABEL(input->problem), message ? message : "");
    gtk_widget_set_visible(input->problem, message != NULL);
    if (message != NULL) {
        gtk_widget_add_css_class(input->widget, "wrong");
    } else {
        gtk_widget_remove_css_class(input->widget, "wrong");
    }
}
