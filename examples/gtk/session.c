/* Syncs run beside the event loop: progress and the end are handed over to it. */
#include "desk.h"

struct step {
    struct desk *desk;
    char *object;
    uint64_t done;
    int64_t total;
};

static gboolean show_step(gpointer data) {
    struct step *step = data;
    char line[160];
    g_snprintf(line, sizeof line, "%s: %" G_GUINT64_FORMAT, step->object, step->done);
    gtk_label_set_text(step->desk->status, line);
    g_free(step->object);
    g_free(step);
    return G_SOURCE_REMOVE;
}

/* On the thread of the sync: the label is not touched here. */
static void on_progress(void *ctx, const attache_progress_t *progress) {
    struct step *step = g_new(struct step, 1);
    *step = (struct step){ctx, desk_text(progress->object), progress->done, progress->total};
    g_idle_add(show_step, step);
}

/* Shows what became of the session: what settled, and what waits for a person. */
static gboolean show_end(gpointer data) {
    struct desk *desk = data;
    attache_error_t *error = NULL;
    attache_text_t *text = NULL;
    attache_status_t status = attache_sync_wait(desk->sync, -1, &text, &error);
    attache_sync_free(desk->sync);
    desk->sync = NULL;
    if (desk_ok(desk, status, error)) {
        desk_banner(desk, NULL, NULL);
        JsonNode *node = desk_json(text);
        JsonObject *report = json_node_get_object(node);
        desk_say(desk, "synced: %" G_GINT64_FORMAT " came, %" G_GINT64_FORMAT " sent, %" G_GINT64_FORMAT " conflicts, %s",
                 json_object_get_int_member(report, "inserted") + json_object_get_int_member(report, "updated"),
                 json_object_get_int_member(report, "pushed_creates") +
                     json_object_get_int_member(report, "pushed_updates") +
                     json_object_get_int_member(report, "pushed_deletes"),
                 json_object_get_int_member(report, "conflicts"),
                 json_object_get_boolean_member(report, "settled") ? "settled" : "not settled");
        json_node_unref(node);
    }
    list_refresh(desk);
    desk_count(desk);
    return G_SOURCE_REMOVE;
}

/* On the thread of the sync, when the result can be had. */
static void on_end(void *ctx) { g_idle_add(show_end, ctx); }

void session_start(struct desk *desk) {
    if (desk->sync != NULL) {
        return; /* one at a time: the one that runs brings all of it */
    }
    if (desk_is_offline(desk)) {
        desk_say(desk, "offline: edits wait on this device");
        return;
    }
    attache_error_t *error = NULL;
    attache_sync_options_t options = attache_sync_options();
    options.progress = on_progress;
    options.ctx = desk;
    options.drop_ctx = on_end;
    desk_ok(desk, attache_sync_start(desk->attache, &options, &desk->sync, &error), error);
}

void session_stop(struct desk *desk) {
    if (desk->sync != NULL) {
        attache_sync_cancel(desk->sync);
    }
}
