//! A path of google.protobuf.FieldMask: `user_name` in the message, `userName` in JSON.

/// The path as JSON has it; none when that would be read as another.
pub(crate) fn mask_text(path: &str) -> Option<String> {
    let mut text = String::with_capacity(path.len());
    let mut characters = path.chars().peekable();
    while let Some(character) = characters.next() {
        match characters.peek() {
            Some(next) if character == '_' && next.is_ascii_lowercase() => {
                text.push(next.to_ascii_uppercase());
                characters.next();
            }
            _ => text.push(character),
        }
    }
    (from_mask_text(&text)? == path).then_some(text)
}

/// The path that JSON means; none when it is none.
pub(crate) fn from_mask_text(text: &str) -> Option<String> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.') {
        return None;
    }
    let mut path = String::with_capacity(text.len() + 4);
    for character in text.chars() {
        if character.is_ascii_uppercase() {
            path.push('_');
        }
        path.push(character.to_ascii_lowercase());
    }
    Some(path)
}
