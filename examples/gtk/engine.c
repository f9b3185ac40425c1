/* What every call to the library needs: errors as a line of status, answers as JSON. */
#include "desk.h"

/* What the client takes along, unless the store has a briefcase already. */
static const char BRIEFCASE[] =
    "{\"version\":1,\"rules\":[\"Account\",\"Contact\",{\"object\":\"Opportunity\",\"scope\":\"mine\"}]}";

void desk_say(struct desk *desk, const char *format, ...) {
    va_list values;
    va_start(values, format);
    char *line = g_strdup_vprintf(format, values);
    va_end(values);
    gtk_label_set_text(desk->status, line);
    if (desk->tells) {
        g_print("%s\n", line);
    }
    g_free(line);
}

gboolean desk_ok(struct desk *desk, attache_status_t status, attache_error_t *error) {
    if (status == ATTACHE_OK) {
        return TRUE;
    }
    attache_str_t message = attache_error_message(error);
    const char *advice = attache_error_retry(error) == ATTACHE_RETRY_AFTER_AUTH ? ": sign in again" : "";
    desk_say(desk, "%.*s%s", (int)message.len, message.ptr, advice);
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
