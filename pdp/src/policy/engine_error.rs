//! The engine's errors in one line: `file:line: message`, without the excerpt it draws.

/// Rewrites an engine error. Its form is a block with `--> file:line:column` and `error: message`.
pub(super) fn in_one_line(error: &impl std::fmt::Display) -> String {
    let text = format!("{error:#}");
    let place = text
        .lines()
        .find_map(|line| line.trim_start().strip_prefix("--> "));
    let message = text
        .lines()
        .rev()
        .find_map(|line| line.trim_start().strip_prefix("error: "));
    match (place, message) {
        (Some(place), Some(message)) => {
            let place = place
                .rsplit_once(':')
                .map_or(place, |(file_and_line, _)| file_and_line);
            format!("{place}: {message}")
        }
        _ => text.split_whitespace().collect::<Vec<_>>().join(" "),
    }
}
