//! drl
