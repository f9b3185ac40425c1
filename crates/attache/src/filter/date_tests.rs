//! Every literal of the table, on ordinary days and on those that are not.
