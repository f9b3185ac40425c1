/* A desktop client that works offline. It needs GTK 4, JSON-GLib and Attaché:
 *
 *   make && ATTACHE_URL=... ATTACHE_ACCESS_TOKEN=... ./desk [STORE]
 *
 * `attache sandbox` prints both for an org to try it with. With ATTACHE_DESK_TELLS set, each line
 * of the status also goes to stdout. */
#include "desk.h"

static void on_sync(GSimpleAction *action, GVariant *parameter, gpointer data) {
    (void)action, (void)parameter;
    session_start(data);
}

static void on_save(GSimpleAction *action, GVariant *parameter, gpointer data) {
    (void)action, (void)parameter;
    form_save(data);
}

static void on_new(GSimpleAction *action, GVariant *parameter, gpointer data) {
    (void)action, (void)parameter;
    form_new(data, list_object(data));
}

static void on_delete(GSimpleAction *action, GVariant *parameter, gpointer data) {
    (void)action, (void)parameter;
    form_delete(data);
}

static void on_edit(GSimpleAction *action, GVariant *parameter, gpointer data) {
    (void)action, (void)parameter;
    form_focus(data);
}

static void on_list(GSimpleAction *action, GVariant *parameter, gpointer data) {
    (void)action, (void)parameter;
    struct desk *desk = data;
    GtkListBoxRow *row = gtk_list_box_get_row_at_index(desk->list, 0);
    if (row != NULL) {
        gtk_widget_grab_focus(GTK_WIDGET(row));
    }
}

static void on_pending(GSimpleAction *action, GVariant *parameter, gpointer data) {
    (void)action, (void)parameter;
    pending_show(data);
}

static void on_conflicts(GSimpleAction *action, GVariant *parameter, gpointer data) {
    (void)action, (void)parameter;
    conflict_show(data);
}

static void on_undo(GSimpleAction *action, GVariant *parameter, gpointer data) {
    (void)action, (void)parameter;
    struct desk *desk = data;
    attache_error_t *error = NULL;
    attache_text_t *text = NULL;
    if (desk_ok(desk, attache_undo(desk->attache, &text, &error), error)) {
        attache_text_free(text);
        desk_say(desk, "the last edit was taken back");
        form_close(desk);
    }
    list_refresh(desk);
    desk_count(desk);
}

/* Offline stops the session that runs; back online, what waits is sent. */
static void on_offline(GSimpleAction *action, GVariant *state, gpointer data) {
    struct desk *desk = data;
    g_simple_action_set_state(action, state);
    if (g_variant_get_boolean(state)) {
        session_stop(desk);
        desk_banner(desk, NULL, NULL);
        desk_say(desk, "offline");
    } else {
        desk_banner(desk, NULL, NULL);
        session_start(desk);
    }
}

static void add_actions(struct desk *desk, GtkApplication *app) {
    static const struct {
        const char *name, *key;
        void (*activate)(GSimpleAction *, GVariant *, gpointer);
    } ACTIONS[] = {
        {"sync", "<Control>r", on_sync},         {"save", "<Control>s", on_save},
        {"edit", "<Control>e", on_edit},         {"list", "<Control>l", on_list},
        {"pending", "<Control>j", on_pending},   {"conflicts", "<Control>k", on_conflicts},
        {"undo", "<Control><Shift>z", on_undo},  {"new", "<Control>n", on_new},
        {"delete", "<Control>Delete", on_delete},
    };
    for (size_t nr = 0; nr < G_N_ELEMENTS(ACTIONS); nr++) {
        GSimpleAction *action = g_simple_action_new(ACTIONS[nr].name, NULL);
        char *full = g_strdup_printf("win.%s", ACTIONS[nr].name);
        g_signal_connect(action, "activate", G_CALLBACK(ACTIONS[nr].activate), desk);
        g_action_map_add_action(G_ACTION_MAP(desk->window), G_ACTION(action));
        gtk_application_set_accels_for_action(app, full, (const char *[]){ACTIONS[nr].key, NULL});
        g_object_unref(action);
        g_free(full);
    }
    desk->offline = g_simple_action_new_stateful("offline", NULL, g_variant_new_boolean(FALSE));
    g_signal_connect(desk->offline, "change-state", G_CALLBACK(on_offline), desk);
    g_action_map_add_action(G_ACTION_MAP(desk->window), G_ACTION(desk->offline));
    gtk_application_set_accels_for_action(app, "win.offline", (const char *[]){"<Control>d", NULL});
    gtk_application_set_accels_for_action(app, "window.close", (const char *[]){"<Control>q", NULL});
}

/* The bar at the top: what is made and taken back on the left, the org on the right. */
static GtkWidget *bar_new(struct desk *desk) {
    GtkWidget *bar = gtk_header_bar_new(), *offline = gtk_switch_new(), *sync = desk_button("_Sync", "win.sync");
    gtk_actionable_set_action_name(GTK_ACTIONABLE(offline), "win.offline");
    gtk_widget_set_valign(offline, GTK_ALIGN_CENTER);
    desk->pending = GTK_BUTTON(desk_button("0 _unsent", "win.pending"));
    desk->conflicts = GTK_BUTTON(desk_button("0 _conflicts", "win.conflicts"));
    gtk_header_bar_pack_start(GTK_HEADER_BAR(bar), desk_button("_New", "win.new"));
    gtk_header_bar_pack_start(GTK_HEADER_BAR(bar), desk_button("U_ndo", "win.undo"));
    gtk_header_bar_pack_end(GTK_HEADER_BAR(bar), sync);
    gtk_header_bar_pack_end(GTK_HEADER_BAR(bar), offline);
    gtk_header_bar_pack_end(GTK_HEADER_BAR(bar), gtk_label_new("Offline"));
    gtk_header_bar_pack_end(GTK_HEADER_BAR(bar), GTK_WIDGET(desk->conflicts));
    gtk_header_bar_pack_end(GTK_HEADER_BAR(bar), GTK_WIDGET(desk->pending));
    return bar;
}

static GtkWidget *form_page_new(struct desk *desk) {
    GtkWidget *scrolled = gtk_scrolled_window_new(), *form = gtk_box_new(GTK_ORIENTATION_VERTICAL, 15);
    desk->form = GTK_BOX(form);
    style_margins(form, 18);
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scrolled), form);
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scrolled), GTK_POLICY_NEVER, GTK_POLICY_AUTOMATIC);
    gtk_widget_set_hexpand(scrolled, TRUE);
    return scrolled;
}

static void build(struct desk *desk, GtkApplication *app) {
    GtkWidget *window = gtk_application_window_new(app);
    GtkWidget *all = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0), *halves = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 0);
    style_load();
    desk->window = GTK_WINDOW(window);
    desk->banner = GTK_LABEL(style_label(NULL, "banner"));
    desk->status = GTK_LABEL(style_label(NULL, "status"));
    gtk_widget_set_visible(GTK_WIDGET(desk->banner), FALSE);
    gtk_label_set_wrap(desk->status, FALSE);
    gtk_label_set_ellipsize(desk->status, PANGO_ELLIPSIZE_END);
    add_actions(desk, app);
    gtk_box_append(GTK_BOX(halves), list_new(desk));
    gtk_box_append(GTK_BOX(halves), form_page_new(desk));
    gtk_widget_set_vexpand(halves, TRUE);
    gtk_box_append(GTK_BOX(all), GTK_WIDGET(desk->banner));
    gtk_box_append(GTK_BOX(all), halves);
    gtk_box_append(GTK_BOX(all), GTK_WIDGET(desk->status));
    form_close(desk);
    gtk_window_set_title(desk->window, "Desk");
    gtk_window_set_titlebar(desk->window, bar_new(desk));
    gtk_window_set_default_size(desk->window, 1040, 700);
    gtk_window_set_child(desk->window, all);
    gtk_window_present(desk->window);
}

struct start {
    struct desk desk;
    const char *path, *url, *token;
    int code;
};

static void on_activate(GtkApplication *app, gpointer data) {
    struct start *start = data;
    build(&start->desk, app);
    if (!desk_open(&start->desk, start->path, start->url, start->token)) {
        start->code = 1;
        return;
    }
    list_refresh(&start->desk);
    desk_count(&start->desk);
    desk_say(&start->desk, "ready");
}

int main(int count, char **arguments) {
    struct start start = {.path = count > 1 ? arguments[1] : "desk.db",
                          .url = g_getenv("ATTACHE_URL"),
                          .token = g_getenv("ATTACHE_ACCESS_TOKEN")};
    start.desk.tells = g_getenv("ATTACHE_DESK_TELLS") != NULL;
    if (start.url == NULL || start.token == NULL) {
        g_printerr("set ATTACHE_URL and ATTACHE_ACCESS_TOKEN\n");
        return 2;
    }
    GtkApplication *app = gtk_application_new("com.example.Desk", G_APPLICATION_NON_UNIQUE);
    g_signal_connect(app, "activate", G_CALLBACK(on_activate), &start);
    int code = g_application_run(G_APPLICATION(app), 1, arguments);
    g_object_unref(app);
    if (start.desk.sync != NULL) {
        /* The window is gone: the session ends at its next step, and nothing of it is lost. */
        session_stop(&start.desk);
        attache_sync_wait(start.desk.sync, -1, NULL, NULL);
        attache_sync_free(start.desk.sync);
    }
    form_free(start.desk.shown);
    if (start.desk.untold != NULL) {
        g_string_free(start.desk.untold, TRUE);
    }
    attache_free(start.desk.attache);
    return code ? code : start.code;
}
