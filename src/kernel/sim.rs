//! A kernel simulated in memory.
