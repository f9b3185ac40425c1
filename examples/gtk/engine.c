/* What every call to the library needs: errors as a line of status, answers as JSON. */
#include "desk.h"

/* What the client takes along, unless the store has a briefcase already. */
static const char BRIEFCASE[] =
    "{\"version\":1,\"objects\":{\"Account\":{\"layouts\":true},\"Contact\":{\"layouts\":true}},\"rules\":[\"Account\",\"Contact\",{\"object\":\"Opportunity\",\"scope\":\"mine\"}]}";

/* Tells what was said, now that a person would see it as well. */
static void on_painted(GdkFrameClock *clock, gpointer data) {
    (void)clock;
    struct desk *desk = data;
    if (desk->untold->len > 0) {
        gdk_display_sync(gtk_widget_get_display(GTK_WIDGET(desk->window)));
        g_print("%s", desk->untold->str);
        g_string_set_size(desk->untold, 0);
    }
}

/* Tells a line on stdout once it is painted, or at once where nothing is painted yet. */
static void tell(struct desk *desk, const char *line) {
    GdkFrameClock *clock = desk->tells ? gtk_widget_get_frame_clock(GTK_WIDGET(desk->window)) : NULL;
    if (clock == NULL) {
        if (desk->tells) {
            g_print("%s\n", line);
        }
        return;
    }
    if (desk->untold == NULL) {
        desk->untold = g_string_new(NULL);
        g_signal_connect(clock, "after-paint", G_CALLBACK(on_painted), desk);
    }
    g_string_append_printf(desk->untold, "%s\n", line);
    gtk_widget_queue_draw(GTK_WIDGET(desk->window));
}

void desk_say(struct desk *desk, const char *format, ...) {
    va_list values;
    va_start(values, format);
    char *line = g_strdup_vprintf(format, values);
    va_end(values);
    gtk_label_set_text(desk->status, line);
    tell(desk, line);
    g_free(line);
}

void desk_banner(struct desk *desk, const char *kind, const char *text) {
    if (kind == NULL && desk_is_offline(desk)) {
        kind = "offline";
        text = "You work offline. Edits wait on this device until you are back online.";
    }
    gtk_widget_remove_css_class(GTK_WIDGET(desk->banner), "offline");
    gtk_widget_remove_css_class(GTK_WIDGET(desk->banner), "failed");
    gtk_label_set_text(desk->banner, text ? text : "");
    gtk_widget_set_visible(GTK_WIDGET(desk->banner), kind != NULL);
    if (kind != NULL) {
        gtk_widget_add_css_class(GTK_WIDGET(desk->banner), kind);
    }
}

gboolean desk_is_offline(struct desk *desk) {
    GVariant *state = g_action_get_state(G_ACTION(desk->offline));
    gboolean offline = g_variant_get_boolean(state);
    g_variant_unref(state);
    return offline;
}

GtkWidget *desk_button(const char *label, const char *action) {
    GtkWidget *button = gtk_button_new_with_mnemonic(label);
    gtk_actionable_set_action_name(GTK_ACTIONABLE(button), action);
    gtk_widget_set_valign(button, GTK_ALIGN_CENTER);
    return button;
}

gboolean desk_ok(struct desk *desk, attache_status_t status, attache_error_t *error) {
    if (status == ATTACHE_OK) {
        return TRUE;
    }
    attache_str_t message = attache_error_message(error);
    const char *advice = attache_error_retry(error) == ATTACHE_RETRY_AFTER_AUTH ? ": sign in again" : "";
    char *text = g_strdup_printf("%.*s%s", (int)message.len, message.ptr, advice);
    desk_banner(desk, "failed", text);
    desk_say(desk, "%s", text);
    g_free(text);
    attache_error_free(error);
    return FALSE;
}

JsonNode *desk_json(attache_text_t *text) {
    char *copied = desk_text(attache_text_str(text));
    JsonNode *node = copied ? json_from_string(copied, NULL) : NULL;
    g_free(copied);
    attache_text_free(text);
    return node ? node : json_node_new(JSON_NODE_NULL);
}

char *desk_text(attache_str_t text) { return text.ptr ? g_strndup(text.ptr, text.len) : NULL; }

char *desk_shown(JsonNode *value) {
    if (value == NULL || JSON_NODE_HOLDS_NULL(value)) {
        return g_strdup("");
    }
    if (JSON_NODE_HOLDS_VALUE(value) && json_node_get_value_type(value) == G_TYPE_STRING) {
        return g_strdup(json_node_get_string(value));
    }
    return json_to_string(value, FALSE);
}

/* Sets a briefcase, the first time. */
static gboolean pack(struct desk *desk) {
    attache_error_t *error = NULL;
    attache_text_t *briefcase = NULL;
    attache_status_t status = attache_briefcase(desk->attache, &briefcase, &error);
    gboolean packed = briefcase != NULL;
    attache_text_free(briefcase);
    if (status == ATTACHE_OK && !packed) {
        status = attache_set_briefcase(desk->attache, attache_str(BRIEFCASE), &error);
    }
    return desk_ok(desk, status, error);
}

gboolean desk_open(struct desk *desk, const char *path, const char *url, const char *token) {
    attache_error_t *error = NULL;
    attache_open_options_t store = attache_open_options();
    attache_salesforce_options_t org = attache_salesforce_options();
    store.path = attache_str(path);
    org.url = attache_str(url);
    org.access_token = attache_str(token);
    attache_status_t status = attache_open(&store, &desk->attache, &error);
    if (status == ATTACHE_OK) {
        status = attache_set_salesforce(desk->attache, &org, &error);
    }
    return desk_ok(desk, status, error) && pack(desk);
}
