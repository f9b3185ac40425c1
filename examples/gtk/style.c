/* How the client looks, beside what the theme does. */
#include "desk.h"

static const char CSS[] =
    ".sidebar { background: alpha(@theme_fg_color, 0.03); border-right: 1px solid @borders; }"
    ".sidebar list { background: none; }"
    ".sidebar row { padding: 8px 12px; border-radius: 6px; margin: 1px 6px; }"
    ".record { font-weight: bold; font-size: 150%; }"
    ".heading { font-weight: bold; }"
    ".caption { font-size: 90%; color: alpha(@theme_fg_color, 0.65); }"
    ".empty { color: alpha(@theme_fg_color, 0.55); }"
    ".card { background: @theme_base_color; border: 1px solid @borders; border-radius: 9px; padding: 15px; }"
    ".banner { padding: 8px 15px; }"
    ".banner.offline { background: #f6d97a; color: #3d3000; }"
    ".banner.failed { background: #c01c28; color: #ffffff; }"
    ".problem { color: #c01c28; font-size: 90%; }"
    ".pill { padding: 1px 9px; border-radius: 99px; background: alpha(@theme_fg_color, 0.1); }"
    ".pill.refused { background: #c01c28; color: #ffffff; }"
    ".pill.disputed { background: #e5a50a; color: #ffffff; }"
    "entry.wrong, dropdown.wrong > button { border-color: #c01c28; }"
    ".head { border-bottom: 1px solid @borders; padding-bottom: 6px; }"
    ".status { padding: 4px 15px; border-top: 1px solid @borders; }";

void style_load(void) {
    GtkCssProvider *provider = gtk_css_provider_new();
    gtk_css_provider_load_from_data(provider, CSS, -1);
    gtk_style_context_add_provider_for_display(gdk_display_get_default(), GTK_STYLE_PROVIDER(provider),
                                               GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
    g_object_unref(provider);
}

GtkWidget *style_label(const char *text, const char *css_class) {
    GtkWidget *label = gtk_label_new(text);
    gtk_label_set_xalign(GTK_LABEL(label), 0);
    gtk_label_set_wrap(GTK_LABEL(label), TRUE);
    if (css_class != NULL) {
        gtk_widget_add_css_class(label, css_class);
    }
    return label;
}

void style_margins(GtkWidget *widget, int margin) {
    gtk_widget_set_margin_start(widget, margin);
    gtk_widget_set_margin_end(widget, margin);
    gtk_widget_set_margin_top(widget, margin);
    gtk_widget_set_margin_bottom(widget, margin);
}

static gboolean on_escape(GtkWidget *window, GVariant *none, gpointer data) {
    (void)none, (void)data;
    gtk_window_close(GTK_WINDOW(window));
    return TRUE;
}

GtkWindow *style_dialog(struct desk *desk, const char *title) {
    GtkWidget *window = gtk_window_new();
    GtkEventController *keys = gtk_shortcut_controller_new();
    gtk_shortcut_controller_add_shortcut(
        GTK_SHORTCUT_CONTROLLER(keys),
        gtk_shortcut_new(gtk_shortcut_trigger_parse_string("Escape"), gtk_callback_action_new(on_escape, NULL, NULL)));
    gtk_widget_add_controller(window, keys);
    gtk_window_set_title(GTK_WINDOW(window), title);
    gtk_window_set_titlebar(GTK_WINDOW(window), gtk_header_bar_new());
    gtk_window_set_modal(GTK_WINDOW(window), TRUE);
    gtk_window_set_transient_for(GTK_WINDOW(window), desk->window);
    gtk_window_set_destroy_with_parent(GTK_WINDOW(window), TRUE);
    return GTK_WINDOW(window);
}
