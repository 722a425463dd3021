//! The Rust codec under test: reads requests of the conformance runner from standard input, each behind its length (u32,
//! little-endian), and answers each the same way on standard output.

mod answer;
#[rustfmt::skip]
mod packages;

use std::io::{self, BufRead, BufReader, Read, Write};

use prost::Message;

use crate::packages::conformance::{ConformanceRequest, ConformanceResponse};

fn main() -> io::Result<()> {
    let (mut input, mut output) = (BufReader::new(io::stdin().lock()), io::stdout().lock());
    while !input.fill_buf()?.is_empty() {
        let mut length = [0; 4];
        input.read_exact(&mut length)?;
        let mut request = vec![0; u32::from_le_bytes(length) as usize];
        input.read_exact(&mut request)?;
        let result = answer::answer(ConformanceRequest::decode(&*request)?);
        let response = ConformanceResponse { result: Some(result) }.encode_to_vec();
        output.write_all(&(response.len() as u32).to_le_bytes())?;
        output.write_all(&response)?;
        output.flush()?;
    }
    Ok(())
}
