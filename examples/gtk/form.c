/* A record as a form: laid out as the org lays it out, or with all fields of the describe where the
 * layout is not on this device. */
#include "desk.h"

struct form {
    char *object, *id; /* no id: the record is new */
    GPtrArray *inputs;
};

/* What a form is drawn from. */
struct source {
    JsonNode *schema;
    JsonArray *fields;
    JsonNode *layout;          /* null where there is none */
    attache_rows_t *rows;      /* stepped to the record; NULL for a new one */
};

void form_free(struct form *form) {
    if (form != NULL) {
        g_ptr_array_unref(form->inputs);
        g_free(form->object);
        g_free(form->id);
        g_free(form);
    }
}

/* Says whether a person can fill a field in: no links and no compounds. */
static gboolean belongs(JsonObject *field, gboolean is_new) {
    const char *type = json_object_get_string_member(field, "field_type");
    return json_object_get_boolean_member(field, is_new ? "createable" : "updateable") &&
           !g_str_equal(type, "reference") && !g_str_equal(type, "address") && !g_str_equal(type, "location");
}

/* The query that reads the fields of the form: the library gives their exact digits. */
static char *query_of(JsonArray *fields, const char *object, const char *id) {
    GString *soql = g_string_new("SELECT Id");
    for (guint nr = 0; nr < json_array_get_length(fields); nr++) {
        JsonObject *field = json_array_get_object_element(fields, nr);
        if (belongs(field, FALSE)) {
            g_string_append_printf(soql, ", %s", json_object_get_string_member(field, "name"));
        }
    }
    g_string_append_printf(soql, " FROM %s WHERE Id = '%s'", object, id);
    return g_string_free(soql, FALSE);
}

static void source_free(struct source *source) {
    g_clear_pointer(&source->schema, json_node_unref);
    g_clear_pointer(&source->layout, json_node_unref);
    attache_rows_free(source->rows);
}

/* Asks the store for what the form is drawn from. FALSE if that failed, or there is no such record. */
static gboolean source_read(struct desk *desk, struct source *source, const char *object, const char *id) {
    attache_error_t *error = NULL;
    attache_text_t *described = NULL, *laid_out = NULL;
    attache_str_t standard = {NULL, 0};
    attache_status_t status = attache_schema_object(desk->attache, attache_str(object), &described, &error);
    if (status == ATTACHE_OK) {
        status = attache_layout(desk->attache, attache_str(object), standard, &laid_out, &error);
    }
    source->schema = desk_json(described);
    source->layout = desk_json(laid_out);
    if (!desk_ok(desk, status, error)) {
        return FALSE;
    }
    source->fields = json_object_get_array_member(json_node_get_object(source->schema), "fields");
    if (id == NULL) {
        return TRUE;
    }
    char *soql = query_of(source->fields, object, id);
    error = NULL;
    status = attache_query(desk->attache, attache_str(soql), &source->rows, &error);
    g_free(soql);
    return desk_ok(desk, status, error) && attache_rows_next(source->rows, NULL) == ATTACHE_OK;
}

/* What a field shows at first: the record's value, or the default of a new one. To be freed. */
static char *value_of(const struct source *source, JsonObject *field) {
    if (source->rows == NULL) {
        return desk_shown(json_object_get_member(field, "default_value"));
    }
    const char *name = json_object_get_string_member(field, "name");
    return desk_text(attache_rows_text(source->rows, attache_rows_column(source->rows, attache_str(name))));
}

/* A part of the form: a heading above a grid. */
static GtkGrid *section_new(GtkBox *page, const char *heading) {
    GtkWidget *card = gtk_box_new(GTK_ORIENTATION_VERTICAL, 12), *grid = gtk_grid_new();
    gtk_widget_add_css_class(card, "card");
    gtk_grid_set_column_spacing(GTK_GRID(grid), 18);
    gtk_grid_set_row_spacing(GTK_GRID(grid), 12);
    gtk_grid_set_column_homogeneous(GTK_GRID(grid), TRUE);
    gtk_box_append(GTK_BOX(card), style_label(heading, "heading"));
    gtk_box_append(GTK_BOX(card), grid);
    gtk_box_append(page, card);
    return GTK_GRID(grid);
}

/* Puts a field into the next place of a grid, unless it is in the form already. */
static void add(struct form *form, const struct source *source, GtkGrid *grid, guint *place, JsonObject *field,
                gboolean required) {
    const char *name = json_object_get_string_member(field, "name");
    for (guint nr = 0; nr < form->inputs->len; nr++) {
        if (g_str_equal(((struct input *)g_ptr_array_index(form->inputs, nr))->field, name)) {
            return;
        }
    }
    if (belongs(field, form->id == NULL)) {
        char *value = value_of(source, field);
        struct input *input = input_new(field, value, required);
        gtk_grid_attach(grid, input->box, (int)(*place % 2), (int)(*place / 2), 1, 1);
        g_ptr_array_add(form->inputs, input);
        *place += 1;
        g_free(value);
    }
}

static JsonObject *field_named(JsonArray *fields, const char *name) {
    for (guint nr = 0; nr < json_array_get_length(fields); nr++) {
        JsonObject *field = json_array_get_object_element(fields, nr);
        if (g_strcmp0(json_object_get_string_member(field, "name"), name) == 0) {
            return field;
        }
    }
    return NULL;
}

/* Draws a section of the org's layout, item by item. */
static void draw_section(struct form *form, const struct source *source, GtkBox *page, JsonObject *section) {
    char *heading = desk_shown(json_object_get_member(section, "heading"));
    GtkGrid *grid = section_new(page, *heading ? heading : "Details");
    JsonArray *rows = json_object_get_array_member(section, "rows");
    guint place = 0;
    for (guint row = 0; row < json_array_get_length(rows); row++) {
        JsonArray *items = json_array_get_array_element(rows, row);
        for (guint at = 0; at < json_array_get_length(items); at++) {
            JsonObject *item = json_array_get_object_element(items, at);
            JsonArray *names = json_object_get_array_member(item, "fields");
            gboolean required = json_object_get_boolean_member(item, "required");
            for (guint of = 0; of < json_array_get_length(names); of++) {
                JsonObject *field = field_named(source->fields, json_array_get_string_element(names, of));
                if (field != NULL) {
                    add(form, source, grid, &place, field, required);
                }
            }
        }
    }
    if (place == 0) {
        gtk_box_remove(page, gtk_widget_get_parent(GTK_WIDGET(grid))); /* nothing that this form shows */
    }
    g_free(heading);
}

/* Draws all fields of the describe, those with a name first. */
static void draw_describe(struct form *form, const struct source *source, GtkBox *page) {
    GtkGrid *grid = section_new(page, "Details");
    guint place = 0;
    for (int names = 1; names >= 0; names--) {
        for (guint nr = 0; nr < json_array_get_length(source->fields); nr++) {
            JsonObject *field = json_array_get_object_element(source->fields, nr);
            if (json_object_get_boolean_member(field, "name_field") == names) {
                add(form, source, grid, &place, field, json_object_get_boolean_member(field, "required_on_create"));
            }
        }
    }
}

/* What stands above the form: which record it is, and what can be done with it. */
static GtkWidget *head_new(const struct form *form, const struct source *source) {
    GtkWidget *head = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6), *names = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    const char *label = json_object_get_string_member(json_node_get_object(source->schema), "label");
    char *title = NULL;
    for (guint nr = 0; form->id != NULL && nr < json_array_get_length(source->fields); nr++) {
        JsonObject *field = json_array_get_object_element(source->fields, nr);
        if (title == NULL && json_object_get_boolean_member(field, "name_field")) {
            title = value_of(source, field);
        }
    }
    char *new_title = g_strdup_printf("New %s", label);
    GtkWidget *name = style_label(title && *title ? title : form->id ? label : new_title, "record");
    gtk_box_append(GTK_BOX(names), style_label(label, "caption"));
    gtk_box_append(GTK_BOX(names), name);
    gtk_widget_set_hexpand(names, TRUE);
    gtk_box_append(GTK_BOX(head), names);
    if (form->id != NULL) {
        GtkWidget *delete = desk_button("_Delete", "win.delete");
        gtk_box_append(GTK_BOX(head), delete);
    }
    GtkWidget *save = desk_button("Sa_ve", "win.save");
    gtk_widget_add_css_class(save, "suggested-action");
    gtk_box_append(GTK_BOX(head), save);
    g_free(new_title);
    g_free(title);
    return head;
}

static void clear(struct desk *desk) {
    GtkWidget *child;
    while ((child = gtk_widget_get_first_child(GTK_WIDGET(desk->form))) != NULL) {
        gtk_box_remove(desk->form, child);
    }
    form_free(desk->shown);
    desk->shown = NULL;
}

void form_close(struct desk *desk) {
    GtkWidget *hint = style_label("Nothing is open\n\nChoose a record on the left, or make one with Ctrl+N.", "empty");
    clear(desk);
    gtk_label_set_justify(GTK_LABEL(hint), GTK_JUSTIFY_CENTER);
    gtk_widget_set_halign(hint, GTK_ALIGN_CENTER);
    gtk_widget_set_valign(hint, GTK_ALIGN_CENTER);
    gtk_widget_set_vexpand(hint, TRUE);
    gtk_box_append(desk->form, hint);
}

/* Draws the form of a record, or of a new one. */
static void form_draw(struct desk *desk, const char *object, const char *id) {
    struct source source = {NULL, NULL, NULL, NULL};
    if (source_read(desk, &source, object, id)) {
        struct form *form = g_new0(struct form, 1);
        *form = (struct form){g_strdup(object), g_strdup(id), g_ptr_array_new_with_free_func(input_free)};
        clear(desk);
        desk->shown = form;
        gtk_box_append(desk->form, head_new(form, &source));
        JsonArray *sections = NULL;
        if (JSON_NODE_HOLDS_OBJECT(source.layout)) {
            sections = json_object_get_array_member(json_node_get_object(source.layout), "edit");
        }
        for (guint nr = 0; sections && nr < json_array_get_length(sections); nr++) {
            draw_section(form, &source, desk->form, json_array_get_object_element(sections, nr));
        }
        if (form->inputs->len == 0) {
            draw_describe(form, &source, desk->form);
        }
        desk_banner(desk, NULL, NULL);
        desk_say(desk, "%s %s", object, id ? id : "that is new");
    }
    source_free(&source);
}

void form_show(struct desk *desk, const char *object, const char *id) {
    form_draw(desk, object, id);
    attache_viewed(desk->attache, attache_str(id), NULL); /* kept here for a while, because it was looked at */
}

void form_new(struct desk *desk, const char *object) {
    form_draw(desk, object, NULL);
    form_focus(desk);
}

void form_focus(struct desk *desk) {
    if (desk->shown != NULL && desk->shown->inputs->len > 0) {
        struct input *first = g_ptr_array_index(desk->shown->inputs, 0);
        gtk_widget_grab_focus(first->widget);
    }
}

/* The fields that a person changed, as JSON. Numbers and dates are texts. */
static char *changed(struct form *form, gboolean *any) {
    JsonObject *fields = json_object_new();
    for (guint nr = 0; nr < form->inputs->len; nr++) {
        struct input *input = g_ptr_array_index(form->inputs, nr);
        char *text = input_text(input);
        if (g_strcmp0(text, input->before) != 0 || (form->id == NULL && *text)) {
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
    *any = json_object_get_size(fields) > 0;
    json_node_take_object(json_node_init(node, JSON_NODE_OBJECT), fields);
    char *json = json_to_string(node, FALSE);
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
        input_show_problem(input, message);
    }
    g_clear_pointer(&node, json_node_unref);
    g_free(text);
}

void form_save(struct desk *desk) {
    struct form *form = desk->shown;
    gboolean any = FALSE;
    char *fields = form ? changed(form, &any) : NULL;
    if (form == NULL || (form->id != NULL && !any)) {
        desk_say(desk, "nothing was changed");
        g_free(fields);
        return;
    }
    attache_error_t *error = NULL;
    attache_text_t *made = NULL;
    attache_status_t status =
        form->id ? attache_update(desk->attache, attache_str(form->id), attache_str(fields), &error)
                 : attache_create(desk->attache, attache_str(form->object), attache_str(fields), &made, &error);
    show_problems(form, attache_error_problems(error));
    if (desk_ok(desk, status, error)) {
        char *object = g_strdup(form->object), *id = made ? desk_text(attache_text_str(made)) : g_strdup(form->id);
        list_refresh(desk);
        form_show(desk, object, id);
        desk_count(desk);
        desk_say(desk, "saved on this device");
        g_free(object);
        g_free(id);
    }
    attache_text_free(made);
    g_free(fields);
}

/* Nobody is asked twice: the deletion waits on this device, and can be taken back. */
void form_delete(struct desk *desk) {
    struct form *form = desk->shown;
    if (form == NULL || form->id == NULL) {
        desk_say(desk, "there is no record to delete");
        return;
    }
    attache_error_t *error = NULL;
    if (desk_ok(desk, attache_delete(desk->attache, attache_str(form->id), &error), error)) {
        form_close(desk);
        list_refresh(desk);
        desk_count(desk);
        desk_say(desk, "deleted on this device; Ctrl+Shift+Z takes it back");
    }
}
