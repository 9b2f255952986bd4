//! The gates, fuzzers and benchmarks that check across levels.
