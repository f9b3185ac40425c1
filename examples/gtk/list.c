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
    GtkWidget *row = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);
    for (size_t column = 0; column < 2; column++) {
        char *text = desk_text(attache_rows_text(rows, column));
        GtkWidget *label = gtk_label_new(text ? text : "");
        gtk_label_set_ellipsize(GTK_LABEL(label), PANGO_ELLIPSIZE_END);
        gtk_label_set_xalign(GTK_LABEL(label), 0);
        gtk_widget_set_hexpand(label, column == 0);
        gtk_box_append(GTK_BOX(row), label);
        g_free(text);
    }
    g_object_set_data_full(G_OBJECT(row), "id", desk_text(attache_rows_id(rows)), g_free);
    return row;
}

void list_refresh(struct desk *desk) {
    attache_error_t *error = NULL;
    attache_rows_t *rows = NULL;
    GtkWidget *child;
    while ((child = gtk_widget_get_first_child(GTK_WIDGET(desk->list))) != NULL) {
        gtk_list_box_remove(desk->list, child);
    }
    const char *soql = LISTS[gtk_drop_down_get_selected(desk->lists)].soql;
    attache_status_t status = attache_query(desk->attache, attache_str(soql), &rows, &error);
    if (status == ATTACHE_UNKNOWN_OBJECT) {
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
    form_show(desk, LISTS[gtk_drop_down_get_selected(desk->lists)].object, id);
}

static void on_list(GObject *lists, GParamSpec *property, gpointer data) {
    (void)lists, (void)property;
    list_refresh(data);
}

GtkWidget *list_new(struct desk *desk) {
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6), *scrolled = gtk_scrolled_window_new();
    const char *titles[G_N_ELEMENTS(LISTS) + 1] = {NULL};
    for (size_t nr = 0; nr < G_N_ELEMENTS(LISTS); nr++) {
        titles[nr] = LISTS[nr].title;
    }
    desk->lists = GTK_DROP_DOWN(gtk_drop_down_new_from_strings(titles));
    desk->list = GTK_LIST_BOX(gtk_list_box_new());
    g_signal_connect(desk->list, "row-activated", G_CALLBACK(on_row), desk);
    g_signal_connect(desk->lists, "notify::selected", G_CALLBACK(on_list), desk);
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scrolled), GTK_WIDGET(desk->list));
    gtk_widget_set_vexpand(scrolled, TRUE);
    gtk_widget_set_size_request(box, 360, -1);
    gtk_box_append(GTK_BOX(box), GTK_WIDGET(desk->lists));
    gtk_box_append(GTK_BOX(box), scrolled);
    return box;
}
