//! Splits a command as a shell would, without expansion.

use anyplug_core::Error;

/// Returns the words of `command`: separated by blanks, quoted by '…' or "…", a backslash takes the next character as it is (inside "…" only before " and \).
///
/// # Errors
/// INVALID_ARGUMENT for a quote without its end, a backslash at the end, or no word at all.
pub fn split_command(command: &str) -> Result<Vec<String>, Error> {
    let invalid = |why: &str| Error::invalid_argument(format!("the command {command:?} {why}"));
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = command.chars().peekable();
    while let Some(char) = chars.next() {
        let escapes = match quote {
            None => true,
            Some('"') => matches!(chars.peek(), Some('"' | '\\')),
            Some(_) => false,
        };
        match char {
            '\\' if escapes => match chars.next() {
                Some(escaped) => word.get_or_insert_default().push(escaped),
                None => return Err(invalid("ends with a backslash")),
            },
            _ if quote == Some(char) => quote = None,
            _ if quote.is_some() => word.get_or_insert_default().push(char),
            '\'' | '"' => {
                quote = Some(char);
                word.get_or_insert_default();
            }
            _ if char.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(char),
        }
    }
    if let Some(quote) = quote {
        return Err(invalid(&format!("has a {quote} without its end")));
    }
    words.extend(word);
    if words.is_empty() { Err(invalid("names no program")) } else { Ok(words) }
}

/// Returns `word` so that [`split_command`] gives it back as one.
pub(crate) fn quote_word(word: &str) -> String {
    let is_plain = |char: char| char.is_ascii_alphanumeric() || "_./:@-".contains(char);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyplug_core::Code;

    #[test]
    fn words_are_split_as_a_shell_splits_them() {
        for (command, words) in [
            ("python3 -m plugin", vec!["python3", "-m", "plugin"]),
            ("  a \t b\n", vec!["a", "b"]),
            (r#"'one word' "two words" three\ words"#, vec!["one word", "two words", "three words"]),
            (r#"a'b'"c"d"#, vec!["abcd"]),
            (r#""" ''"#, vec!["", ""]),
            (r#""say \"hi\" \\ \n" '\'"#, vec![r#"say "hi" \ \n"#, "\\"]),
            ("$HOME *", vec!["$HOME", "*"]),
        ] {
            assert_eq!(split_command(command).expect(command), words);
        }
    }

    #[test]
    fn what_a_shell_would_not_take_is_refused_with_the_reason() {
        for (command, why) in [
            ("a 'b", "the command \"a 'b\" has a ' without its end"),
            ("a\\", "the command \"a\\\\\" ends with a backslash"),
            ("  ", "the command \"  \" names no program"),
        ] {
            let error = split_command(command).expect_err(command);
            assert_eq!((error.code(), error.message()), (Code::InvalidArgument, why));
        }
    }

    #[test]
    fn a_quoted_word_is_one_word() {
        for word in ["a", "./a-b.py", "", "it's", "a b", "\"\\$'", "é"] {
            assert_eq!(split_command(&quote_word(word)).expect("a word"), [word]);
        }
    }
}
