//! MR-DRO as a library.
