//! Queries on the device: from SOQL to SQL on the store's tables.
