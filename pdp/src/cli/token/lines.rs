//! Lines of bounded length from a stream that may hold anything.

use std::io::{BufRead, Read as _};

/// Calls `each` with every line of `input` that is not blank, white space trimmed.
///
/// A line longer than `cap` bytes is cut after `cap + 1`, so that its reader sees that it is too
/// long; the rest of it is skipped without being kept. Bytes that are not UTF-8 become U+FFFD,
/// which no token has.
pub(super) fn for_each_line<E: From<std::io::Error>>(
    mut input: impl BufRead,
    cap: usize,
    mut each: impl FnMut(&str) -> Result<(), E>,
) -> Result<(), E> {
    let mut line = Vec::new();
    loop {
        line.clear();
        // Room for the cut-off byte and a line break.
        let limit = cap as u64 + 2;
        if input.by_ref().take(limit).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let is_whole = line.last() == Some(&b'\n');
        let text = String::from_utf8_lossy(&line);
        let text = text.trim();
        if !text.is_empty() {
            each(text)?;
        }
        if !is_whole && line.len() as u64 == limit {
            input.skip_until(b'\n')?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(input: &[u8]) -> Vec<String> {
        let mut seen = Vec::new();
        for_each_line(input, 8, |line| {
            seen.push(line.to_owned());
            Ok::<_, std::io::Error>(())
        })
        .expect("reading a slice");
        seen
    }

    #[test]
    fn long_lines_are_cut_and_the_next_line_is_whole() {
        assert_eq!(
            lines(b"aaaaaaaaa\r\n\n \t\nb\n12345678\nlast"),
            ["aaaaaaaaa", "b", "12345678", "last"]
        );
        let long = [b"x".repeat(1000).as_slice(), b"\nnext\n"].concat();
        assert_eq!(lines(&long), ["x".repeat(10).as_str(), "next"]);
        assert_eq!(lines(b"\xff\xfe\n"), ["\u{fffd}\u{fffd}"]);
    }
}
