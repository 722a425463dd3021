//! The hosts that a plugin may send requests to.

/// Whether one of these patterns is the host's name, where `*` stands for any characters. Upper and lower case are the same.
pub(crate) fn is_allowed(patterns: &[String], host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    patterns.iter().any(|pattern| fits(pattern.to_ascii_lowercase().as_bytes(), host.as_bytes()))
}

fn fits(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut from) = (0, 0);
    // Where to go on when what was tried does not fit: behind the last star, one more character into the name.
    let mut retry = None;
    while from < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                at += 1;
                retry = Some((at, from));
            }
            Some(byte) if *byte == name[from] => (at, from) = (at + 1, from + 1),
            _ => {
                let Some((star, taken)) = retry else { return false };
                (at, from) = (star, taken + 1);
                retry = Some((star, from));
            }
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::is_allowed;

    #[test]
    fn a_pattern_is_for_the_whole_name() {
        let allowed = |pattern: &str, host: &str| is_allowed(&[pattern.to_owned()], host);
        for (pattern, host) in [
            ("example.org", "example.org"),
            ("Example.org", "eXample.ORG"),
            ("*", "a.b.c"),
            ("*.example.com", "a.example.com"),
            ("*.example.com", "a.b.example.com"),
            ("a*b*c", "aXbYbZc"),
            ("127.0.0.*", "127.0.0.1"),
            ("a**", "a"),
        ] {
            assert!(allowed(pattern, host), "{pattern} {host}");
        }
        for (pattern, host) in [
            ("example.org", "notexample.org"),
            ("example.org", "example.org.evil.test"),
            ("*.example.com", "example.com"),
            ("*.example.com", "a.example.com.evil.test"),
            ("example.???", "example.org"),
            ("[a-z].org", "a.org"),
            ("", "a"),
            ("a*b", "a"),
        ] {
            assert!(!allowed(pattern, host), "{pattern} {host}");
        }
        assert!(!is_allowed(&[], "a"));
    }
}
