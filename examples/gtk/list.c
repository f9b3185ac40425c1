/* The lists on the left: a query each, answered from the store. */
#include "desk.h"

static const struct {
    const char *title, *object, *soql;
} LISTS[] = {
    {"Accounts", "Account", "SELECT Name, Phone FROM Account ORDER BY Name LIMIT 200"},
    {"Contacts", "Contact", "SELECT Name, Email FROM Contact ORDER BY LastName LIMIT 200"},
    {"My open opportunities", "Opportunity",
     "SELECT Name, StageName FROM Opportunity WHERE IsClosed = false ORDER BY CloseDate LIMIT 200"},
};

/* A row shows two columns and knows its record. */
static GtkWidget *row_new(const attache_rows_t *rows) {
    GtkWidget *row = gtk_box_new(GTK_ORIENTATION_VERTICAL, 2);
    for (size_t column = 0; column < 2; column++) {
        char *text = desk_text(attache_rows_text(rows, column));
        GtkWidget *label = style_label(text && *text ? text : "—", column == 0 ? NULL : "caption");
        gtk_label_set_wrap(GTK_LABEL(label), FALSE);
        gtk_label_set_ellipsize(GTK_LABEL(label), PANGO_ELLIPSIZE_END);
        gtk_box_append(GTK_BOX(row), label);
        g_free(text);
    }
    g_object_set_data_full(G_OBJECT(row), "id", desk_text(attache_rows_id(rows)), g_free);
    return row;
}

const char *list_object(struct desk *desk) { return LISTS[gtk_drop_down_get_selected(desk->lists)].object; }

void list_refresh(struct desk *desk) {
    attache_error_t *error = NULL;
    attache_rows_t *rows = NULL;
    GtkListBoxRow *row;
    while ((row = gtk_list_box_get_row_at_index(desk->list, 0)) != NULL) {
        gtk_list_box_remove(desk->list, GTK_WIDGET(row));
    }
    const char *soql = LISTS[gtk_drop_down_get_selected(desk->lists)].soql;
    attache_status_t status = attache_query(desk->attache, attache_str(soql), &rows, &error);
    gtk_label_set_text(desk->none, "Nothing here yet.\n\nWhat you make with Ctrl+N, or what\na sync brings, is listed here.");
    if (status == ATTACHE_UNKNOWN_OBJECT) {
        gtk_label_set_text(desk->none, "This device has no records yet.\n\nPress Ctrl+R to sync.");
        attache_error_free(error); /* before the first sync there is nothing to list */
        return;
    }
    while (status == ATTACHE_OK && (status = attache_rows_next(rows, &error)) == ATTACHE_OK) {
        gtk_list_box_append(desk->list, row_new(rows));
    }
    attache_rows_free(rows);
    if (status != ATTACHE_END) {
        desk_ok(desk, status, error);
    }
}

static void on_row(GtkListBox *list, GtkListBoxRow *row, gpointer data) {
    (void)list;
    struct desk *desk = data;
    const char *id = g_object_get_data(G_OBJECT(gtk_list_box_row_get_child(row)), "id");
    form_show(desk, list_object(desk), id);
}

static void on_list(GObject *lists, GParamSpec *property, gpointer data) {
    (void)lists, (void)property;
    list_refresh(data);
}

GtkWidget *list_new(struct desk *desk) {
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0), *scrolled = gtk_scrolled_window_new();
    const char *titles[G_N_ELEMENTS(LISTS) + 1] = {NULL};
    for (size_t nr = 0; nr < G_N_ELEMENTS(LISTS); nr++) {
        titles[nr] = LISTS[nr].title;
    }
    desk->lists = GTK_DROP_DOWN(gtk_drop_down_new_from_strings(titles));
    desk->list = GTK_LIST_BOX(gtk_list_box_new());
    g_signal_connect(desk->list, "row-activated", G_CALLBACK(on_row), desk);
    g_signal_connect(desk->lists, "notify::selected", G_CALLBACK(on_list), desk);
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scrolled), GTK_WIDGET(desk->list));
    desk->none = GTK_LABEL(style_label(NULL, "empty"));
    gtk_label_set_justify(desk->none, GTK_JUSTIFY_CENTER);
    gtk_label_set_wrap(desk->none, FALSE);
    style_margins(GTK_WIDGET(desk->none), 24);
    gtk_widget_set_halign(GTK_WIDGET(desk->none), GTK_ALIGN_CENTER);
    gtk_list_box_set_placeholder(desk->list, GTK_WIDGET(desk->none));
    gtk_widget_add_css_class(box, "sidebar");
    style_margins(GTK_WIDGET(desk->lists), 9);
    gtk_widget_set_vexpand(scrolled, TRUE);
    gtk_widget_set_size_request(box, 300, -1);
    gtk_box_append(GTK_BOX(box), GTK_WIDGET(desk->lists));
    gtk_box_append(GTK_BOX(box), scrolled);
    return box;
}
