/* A record as a form: its fields, their labels, types and picklists are those of the describe. */
#include "desk.h"

struct input {
    char *field;
    GtkWidget *widget;
    GtkWidget *problem; /* the line below, for what is wrong with it */
    char *before;       /* what it showed at first */
};

struct form {
    char *object, *id;
    GPtrArray *inputs;
};

static void input_free(gpointer data) {
    struct input *input = data;
    g_free(input->field);
    g_free(input->before);
    g_free(input);
}

void form_free(struct form *form) {
    if (form != NULL) {
        g_ptr_array_unref(form->inputs);
        g_free(form->object);
        g_free(form->id);
        g_free(form);
    }
}

/* What a person sees in an input now. */
static char *input_text(const struct input *input) {
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

static GtkWidget *widget_new(JsonObject *field, const char *type, const char *value) {
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
    gint64 length = json_object_get_int_member(field, "length");
    gtk_entry_set_max_length(GTK_ENTRY(entry), length > 0 && length < 65536 ? (int)length : 0);
    return entry;
}

/* Says whether a field stands in the form: what a person can change, but no links and no compounds. */
static gboolean belongs(JsonObject *field) {
    const char *type = json_object_get_string_member(field, "field_type");
    return json_object_get_boolean_member(field, "updateable") && !g_str_equal(type, "reference") &&
           !g_str_equal(type, "address") && !g_str_equal(type, "location");
}

static void input_new(struct form *form, GtkGrid *grid, JsonObject *field, const char *value) {
    struct input *input = g_new0(struct input, 1);
    const char *type = json_object_get_string_member(field, "field_type");
    int row = 2 * (int)form->inputs->len;
    input->field = g_strdup(json_object_get_string_member(field, "name"));
    input->widget = widget_new(field, type, value ? value : "");
    input->before = input_text(input);
    input->problem = gtk_label_new(NULL);
    gtk_widget_set_visible(input->problem, FALSE);
    gtk_widget_add_css_class(input->problem, "error");
    gtk_label_set_xalign(GTK_LABEL(input->problem), 0);
    gtk_widget_set_hexpand(input->widget, TRUE);
    GtkWidget *label = gtk_label_new(json_object_get_string_member(field, "label"));
    gtk_label_set_xalign(GTK_LABEL(label), 1);
    gtk_grid_attach(grid, label, 0, row, 1, 1);
    gtk_grid_attach(grid, input->widget, 1, row, 1, 1);
    gtk_grid_attach(grid, input->problem, 1, row + 1, 1, 1);
    g_ptr_array_add(form->inputs, input);
}

/* The query that reads the fields of the form: the library gives their exact digits. */
static char *query_of(JsonArray *fields, const char *object, const char *id) {
    GString *soql = g_string_new("SELECT Id");
    for (guint nr = 0; nr < json_array_get_length(fields); nr++) {
        JsonObject *field = json_array_get_object_element(fields, nr);
        if (belongs(field)) {
            g_string_append_printf(soql, ", %s", json_object_get_string_member(field, "name"));
        }
    }
    g_string_append_printf(soql, " FROM %s WHERE Id = '%s'", object, id);
    return g_string_free(soql, FALSE);
}

/* Draws the inputs, those with a name first. */
static void draw(struct form *form, GtkGrid *grid, JsonArray *fields, const attache_rows_t *rows) {
    for (int names = 1; names >= 0; names--) {
        for (guint nr = 0; nr < json_array_get_length(fields); nr++) {
            JsonObject *field = json_array_get_object_element(fields, nr);
            if (belongs(field) && json_object_get_boolean_member(field, "name_field") == names) {
                const char *name = json_object_get_string_member(field, "name");
                size_t column = attache_rows_column(rows, attache_str(name));
                char *value = desk_text(attache_rows_text(rows, column));
                input_new(form, grid, field, value);
                g_free(value);
            }
        }
    }
}

void form_show(struct desk *desk, const char *object, const char *id) {
    attache_error_t *error = NULL;
    attache_text_t *described = NULL;
    attache_rows_t *rows = NULL;
    if (!desk_ok(desk, attache_schema_object(desk->attache, attache_str(object), &described, &error), error)) {
        return;
    }
    JsonNode *schema = desk_json(described);
    JsonArray *fields = json_object_get_array_member(json_node_get_object(schema), "fields");
    char *soql = query_of(fields, object, id);
    attache_status_t status = attache_query(desk->attache, attache_str(soql), &rows, &error);
    g_free(soql);
    if (status == ATTACHE_OK && attache_rows_next(rows, NULL) == ATTACHE_OK) {
        GtkWidget *grid = gtk_grid_new(), *child;
        struct form *form = g_new0(struct form, 1);
        *form = (struct form){g_strdup(object), g_strdup(id), g_ptr_array_new_with_free_func(input_free)};
        gtk_grid_set_column_spacing(GTK_GRID(grid), 12);
        gtk_grid_set_row_spacing(GTK_GRID(grid), 3);
        draw(form, GTK_GRID(grid), fields, rows);
        while ((child = gtk_widget_get_first_child(GTK_WIDGET(desk->form))) != NULL) {
            gtk_box_remove(desk->form, child);
        }
        gtk_box_append(desk->form, grid);
        form_free(desk->shown);
        desk->shown = form;
        attache_viewed(desk->attache, attache_str(id), NULL); /* kept here for a while, because it was looked at */
        desk_say(desk, "%s %s", object, id);
    } else if (status != ATTACHE_OK) {
        desk_ok(desk, status, error);
    }
    attache_rows_free(rows);
    json_node_unref(schema);
}

void form_focus(struct desk *desk) {
    if (desk->shown != NULL && desk->shown->inputs->len > 0) {
        struct input *first = g_ptr_array_index(desk->shown->inputs, 0);
        gtk_widget_grab_focus(first->widget);
    }
}

/* The fields that a person changed, as JSON; NULL if there are none. Numbers and dates are texts. */
static char *changed(struct form *form) {
    JsonObject *fields = json_object_new();
    for (guint nr = 0; nr < form->inputs->len; nr++) {
        struct input *input = g_ptr_array_index(form->inputs, nr);
        char *text = input_text(input);
        if (g_strcmp0(text, input->before) != 0) {
            if (GTK_IS_CHECK_BUTTON(input->widget)) {
                json_object_set_boolean_member(fields, input->field, g_str_equal(text, "true"));
            } else if (*text) {
                json_object_set_string_member(fields, input->field, text);
            } else {
                json_object_set_null_member(fields, input->field);
            }
        }
        g_free(text);
    }
    JsonNode *node = json_node_alloc();
    gboolean any = json_object_get_size(fields) > 0;
    json_node_take_object(json_node_init(node, JSON_NODE_OBJECT), fields);
    char *json = any ? json_to_string(node, FALSE) : NULL;
    json_node_unref(node);
    return json;
}

/* Shows each problem of a refused write below its field. */
static void show_problems(struct form *form, attache_str_t problems_json) {
    char *text = desk_text(problems_json);
    JsonNode *node = text ? json_from_string(text, NULL) : NULL;
    JsonArray *problems = node ? json_node_get_array(node) : NULL;
    for (guint nr = 0; nr < form->inputs->len; nr++) {
        struct input *input = g_ptr_array_index(form->inputs, nr);
        const char *message = NULL;
        for (guint at = 0; problems && at < json_array_get_length(problems); at++) {
            JsonObject *problem = json_array_get_object_element(problems, at);
            JsonArray *fields = json_object_get_array_member(problem, "fields");
            for (guint of = 0; of < json_array_get_length(fields); of++) {
                if (g_strcmp0(json_array_get_string_element(fields, of), input->field) == 0) {
                    message = json_object_get_string_member(problem, "message");
                }
            }
        }
        gtk_label_set_text(GTK_LABEL(input->problem), message ? message : "");
        gtk_widget_set_visible(input->problem, message != NULL);
    }
    g_clear_pointer(&node, json_node_unref);
    g_free(text);
}

void form_save(struct desk *desk) {
    struct form *form = desk->shown;
    char *fields = form ? changed(form) : NULL;
    if (fields == NULL) {
        desk_say(desk, "nothing was changed");
        return;
    }
    attache_error_t *error = NULL;
    attache_status_t status = attache_update(desk->attache, attache_str(form->id), attache_str(fields), &error);
    show_problems(form, attache_error_problems(error));
    if (desk_ok(desk, status, error)) {
        char *object = g_strdup(form->object), *id = g_strdup(form->id);
        list_refresh(desk);
        form_show(desk, object, id);
        desk_count(desk);
        desk_say(desk, "saved on this device");
        g_free(object);
        g_free(id);
    }
    g_free(fields);
}
