//! The driver: command line, project loading, the query table, diagnostics on screen.
