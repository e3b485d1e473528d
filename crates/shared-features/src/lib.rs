//! Holds no code: its manifest asks for the features of common dependencies, so that every command shares one build of
//! Burn, which takes minutes.
