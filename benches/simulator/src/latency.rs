//! How long AWS takes: log-normal, as measured latencies mostly are.

use std::time::Duration;

/// A stream of latencies; the same one in every run.
pub struct Latency {
    median: f64,
    spread: f64,
    state: u64,
}

impl Latency {
    /// `median` in milliseconds; `spread` is the standard deviation of the logarithm.
    pub fn new(median: f64, spread: f64) -> Self {
        Self { median, spread, state: 0x9E37_79B9_7F4A_7C15 }
    }

    /// A number from 0 to 1 (xorshift64*).
    pub fn chance(&mut self) -> f64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        let bits = self.state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11;
        bits as f64 / (1u64 << 53) as f64
    }

    /// The next latency (Box and Muller's transform makes it normal).
    pub fn next(&mut self) -> Duration {
        let (one, two) = (self.chance().max(1e-12), self.chance());
        let normal = (-2.0 * one.ln()).sqrt() * (std::f64::consts::TAU * two).cos();
        Duration::from_secs_f64(self.median / 1000.0 * (self.spread * normal).exp())
    }
}
