//! Instruments a module: `instrument FROM [TO]` says how long it takes, the best of several times, and what it makes.

use std::error::Error;
use std::time::{Duration, Instant};

use anyplug_instrument::{Limits, instrument};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let module = std::fs::read(arguments.next().ok_or("instrument FROM [TO]")?)?;
    let mut best = Duration::MAX;
    let mut output = Vec::new();
    for _ in 0..10 {
        let started = Instant::now();
        output = instrument(&module, &Limits::default())?;
        best = best.min(started.elapsed());
    }
    println!("{{\"bytes\": {}, \"made\": {}, \"ms\": {:.3}}}", module.len(), output.len(), best.as_secs_f64() * 1e3);
    if let Some(to) = arguments.next() {
        std::fs::write(to, output)?;
    }
    Ok(())
}
