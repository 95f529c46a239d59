//! The value of a constant expression.

/// What an expression of numbers, `~`, `-`, `|`, `<<` and parentheses gives in 64 bits.
pub fn value(text: &str) -> Option<u64> {
    let mut rest = text;
    let result = or(&mut rest)?;
    rest.trim().is_empty().then_some(result)
}

fn take(rest: &mut &str, token: &str) -> bool {
    match rest.trim_start().strip_prefix(token) {
        Some(tail) => {
            *rest = tail;
            true
        }
        None => false,
    }
}

fn or(rest: &mut &str) -> Option<u64> {
    let mut result = shift(rest)?;
    while take(rest, "|") {
        result |= shift(rest)?;
    }
    Some(result)
}

fn shift(rest: &mut &str) -> Option<u64> {
    let mut result = difference(rest)?;
    while take(rest, "<<") {
        result = result.checked_shl(difference(rest)?.try_into().ok()?)?;
    }
    Some(result)
}

fn difference(rest: &mut &str) -> Option<u64> {
    let mut result = unary(rest)?;
    while take(rest, "-") {
        result = result.wrapping_sub(unary(rest)?);
    }
    Some(result)
}

fn unary(rest: &mut &str) -> Option<u64> {
    if take(rest, "~") {
        return Some(!unary(rest)?);
    }
    if take(rest, "(") {
        let result = or(rest)?;
        return take(rest, ")").then_some(result);
    }
    *rest = rest.trim_start();
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric());
    let (word, tail) = rest.split_at(end.unwrap_or(rest.len()));
    *rest = tail;
    let digits = word.trim_end_matches(['u', 'l', 'U', 'L']);
    match digits.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => digits.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::value;

    #[test]
    fn calculates() {
        assert_eq!(value("0x1fULL"), Some(31));
        assert_eq!(value("(~((1ULL << 48) - 1))"), Some(!((1 << 48) - 1)));
        assert_eq!(value("1 | 2 << 4 - 1"), Some(17));
        assert_eq!(value("NAME"), None);
        assert_eq!(value("(1"), None);
        assert_eq!(value("1 << 64"), None);
    }
}
