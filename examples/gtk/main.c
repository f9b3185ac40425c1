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

static void on_edit(GSimpleAction *action, GVariant *parameter, gpointer data) {
    (void)action, (void)parameter;
    form_focus(data);
}

static void on_list(GSimpleAction *action, GVariant *parameter, gpointer data) {
    (void)action, (void)parameter;
    struct desk *desk = data;
    GtkWidget *row = gtk_widget_get_first_child(GTK_WIDGET(desk->list));
    if (row != NULL) {
        gtk_widget_grab_focus(row);
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
        desk_say(desk, "offline");
    } else {
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
        {"undo", "<Control><Shift>z", on_undo},
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

static GtkWidget *button_new(const char *label, const char *action) {
    GtkWidget *button = gtk_button_new_with_mnemonic(label);
    gtk_actionable_set_action_name(GTK_ACTIONABLE(button), action);
    return button;
}

/* The row of buttons at the top. */
static GtkWidget *bar_new(struct desk *desk) {
    GtkWidget *bar = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6), *offline = gtk_switch_new();
    gtk_actionable_set_action_name(GTK_ACTIONABLE(offline), "win.offline");
    gtk_widget_set_valign(offline, GTK_ALIGN_CENTER);
    desk->pending = GTK_BUTTON(button_new("0 _unsent", "win.pending"));
    desk->conflicts = GTK_BUTTON(button_new("0 _conflicts", "win.conflicts"));
    gtk_button_set_use_underline(desk->pending, TRUE);
    gtk_button_set_use_underline(desk->conflicts, TRUE);
    gtk_box_append(GTK_BOX(bar), button_new("_Sync", "win.sync"));
    gtk_box_append(GTK_BOX(bar), button_new("Sa_ve", "win.save"));
    gtk_box_append(GTK_BOX(bar), button_new("U_ndo", "win.undo"));
    gtk_box_append(GTK_BOX(bar), GTK_WIDGET(desk->pending));
    gtk_box_append(GTK_BOX(bar), GTK_WIDGET(desk->conflicts));
    gtk_box_append(GTK_BOX(bar), gtk_label_new("Work offline"));
    gtk_box_append(GTK_BOX(bar), offline);
    return bar;
}

static void build(struct desk *desk, GtkApplication *app) {
    GtkWidget *window = gtk_application_window_new(app);
    GtkWidget *all = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6), *halves = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);
    GtkWidget *scrolled = gtk_scrolled_window_new(), *form = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);
    desk->window = GTK_WINDOW(window);
    desk->form = GTK_BOX(form);
    desk->status = GTK_LABEL(gtk_label_new(""));
    gtk_label_set_xalign(desk->status, 0);
    gtk_label_set_ellipsize(desk->status, PANGO_ELLIPSIZE_END);
    add_actions(desk, app);
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scrolled), form);
    gtk_widget_set_hexpand(scrolled, TRUE);
    gtk_box_append(GTK_BOX(halves), list_new(desk));
    gtk_box_append(GTK_BOX(halves), scrolled);
    gtk_widget_set_vexpand(halves, TRUE);
    gtk_box_append(GTK_BOX(all), bar_new(desk));
    gtk_box_append(GTK_BOX(all), halves);
    gtk_box_append(GTK_BOX(all), GTK_WIDGET(desk->status));
    gtk_widget_set_margin_start(all, 6);
    gtk_widget_set_margin_end(all, 6);
    gtk_widget_set_margin_top(all, 6);
    gtk_widget_set_margin_bottom(all, 6);
    gtk_window_set_title(desk->window, "Desk");
    gtk_window_set_default_size(desk->window, 1000, 640);
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
    attache_free(start.desk.attache);
    return code ? code : start.code;
}
