//! The engine's errors in one line: `file:line: message`, without the excerpt it draws; or in their parts.

/// Rewrites an engine error. Its form is a block with `--> file:line:column` and `error: message`.
pub(super) fn in_one_line(error: &impl std::fmt::Display) -> String {
    let text = format!("{error:#}");
    match parts(&text) {
        Some((place, message)) => {
            let place = place
                .rsplit_once(':')
                .map_or(place, |(file_and_line, _)| file_and_line);
            format!("{place}: {message}")
        }
        None => text.split_whitespace().collect::<Vec<_>>().join(" "),
    }
}

/// Line and column of an engine error, from 1, and what it says.
pub(super) fn located(error: &impl std::fmt::Display) -> Option<(u32, u32, String)> {
    let text = format!("{error:#}");
    let (place, message) = parts(&text)?;
    let mut numbers = place.rsplit(':').map(|number| number.parse().ok());
    let (column, line) = (numbers.next()??, numbers.next()??);
    Some((line, column, message.to_owned()))
}

/// `file:line:column`, and what it says.
fn parts(text: &str) -> Option<(&str, &str)> {
    let place = text
        .lines()
        .find_map(|line| line.trim_start().strip_prefix("--> "));
    let message = text
        .lines()
        .rev()
        .find_map(|line| line.trim_start().strip_prefix("error: "));
    place.zip(message)
}
