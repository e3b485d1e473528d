//! Experiments on the library, with charts and reports.
