//! Error numbers and their names.

use nix::errno::Errno;

/// `EPERM`, or the number where it has no name.
pub fn name(number: i32) -> String {
    match Errno::from_raw(number) {
        Errno::UnknownErrno => number.to_string(),
        errno => format!("{errno:?}"),
    }
}

/// What the system says of it.
pub fn text(number: i32) -> &'static str {
    Errno::from_raw(number).desc()
}

/// `4096`, or `-ENOENT` for a negative result.
pub fn result(value: i64) -> String {
    match i32::try_from(-value) {
        Ok(number) if (1..4096).contains(&number) => format!("-{}", name(number)),
        _ => value.to_string(),
    }
}

/// Finds a number by name or number, with or without a sign.
pub fn find(text: &str) -> Option<i32> {
    let text = text.trim().trim_start_matches(['-', '+']);
    if let Ok(number) = text.parse::<i32>() {
        return (1..4096).contains(&number).then_some(number);
    }
    let wanted = text.to_ascii_uppercase();
    (1..4096).find(|&number| {
        let errno = Errno::from_raw(number);
        errno != Errno::UnknownErrno && alias(&format!("{errno:?}")) == alias(&wanted)
    })
}

/// Names that are two for one number.
fn alias(name: &str) -> &str {
    match name {
        "ENOTSUP" => "EOPNOTSUPP",
        "EWOULDBLOCK" => "EAGAIN",
        "EDEADLOCK" => "EDEADLK",
        name => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers() {
        assert_eq!(name(95), "EOPNOTSUPP");
        assert_eq!(result(-125), "-ECANCELED");
        assert_eq!(result(7), "7");
        assert_eq!(find("-125"), Some(125));
        assert_eq!(find("enotsup"), Some(95));
        assert_eq!(find("EWOULDBLOCK"), Some(11));
        assert_eq!(find("ENOSUCHTHING"), None);
        assert_eq!(find("0"), None);
    }
}
