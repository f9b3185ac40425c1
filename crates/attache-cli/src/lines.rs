//! Standard input as a question per line. One that cannot be read is answered like any other, and not the end of all.

use crate::error::{Failure, Result};
use std::io::{self, BufRead, Read};

/// Bytes of a line, at most: the describe of an object with 800 fields has some three million.
const LINE_BYTES_MAX: usize = 16 << 20;

/// Has each line of standard input answered that is not empty.
///
/// # Errors
/// Those of `answer`; standard input that cannot be read.
pub fn each(answer: impl FnMut(Result<&str>) -> Result<()>) -> Result<()> {
    each_of(io::stdin().lock(), LINE_BYTES_MAX, answer)
}

fn each_of(
    mut input: impl BufRead,
    bytes_max: usize,
    mut answer: impl FnMut(Result<&str>) -> Result<()>,
) -> Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        // One byte for the end of the line.
        let read = (&mut input)
            .take(bytes_max as u64 + 1)
            .read_until(b'\n', &mut line)
            .map_err(|error| Failure::stdin(&error))?;
        if read == 0 {
            return Ok(());
        }
        if line.last() != Some(&b'\n') && line.len() > bytes_max {
            pass_over(&mut input).map_err(|error| Failure::stdin(&error))?;
            let message = format!("the line is longer than {bytes_max} bytes");
            answer(Err(Failure::usage(message)))?;
            continue;
        }
        match std::str::from_utf8(&line) {
            Ok(text) if text.trim().is_empty() => {}
            Ok(text) => answer(Ok(text.trim_end_matches(['\r', '\n'])))?,
            Err(error) => {
                let message = format!("the line is no UTF-8 from byte {} on", error.valid_up_to());
                answer(Err(Failure::usage(message)))?;
            }
        }
    }
}

/// Reads to the end of a line and keeps nothing of it.
fn pass_over(input: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let (passed, is_over) = match end {
            Some(at) => (at + 1, true),
            None => (buffer.len(), buffer.is_empty()),
        };
        input.consume(passed);
        if is_over {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was read of each line, or what was said of it.
    fn read(input: &[u8]) -> Vec<String> {
        let mut answers = Vec::new();
        // A buffer shorter than a line, as a pipe has it.
        let input = io::BufReader::with_capacity(3, input);
        let all = each_of(input, 8, |line| {
            answers.push(line.map_or_else(|failure| failure.sentence(), str::to_owned));
            Ok(())
        });
        all.expect("bytes can be read");
        answers
    }

    #[test]
    fn empty_lines_are_passed_over_and_the_last_needs_no_end() {
        assert_eq!(read(b"a\r\n\n \t\nb b\nc"), ["a", "b b", "c"]);
        assert!(read(b"").is_empty());
    }

    #[test]
    fn a_line_that_is_too_long_is_answered_and_the_next_one_read() {
        let long = "the line is longer than 8 bytes";
        assert_eq!(read(b"12345678\n123456789\nb"), ["12345678", long, "b"]);
        assert_eq!(read(b"12345678"), ["12345678"]);
        assert_eq!(read(b"b\n1234567890123456789"), ["b", long]);
    }

    #[test]
    fn a_line_that_is_no_text_is_answered_and_the_next_one_read() {
        assert_eq!(
            read(b"a\xff\n\xc3\nb\n"),
            [
                "the line is no UTF-8 from byte 1 on",
                "the line is no UTF-8 from byte 0 on",
                "b"
            ]
        );
    }
}
