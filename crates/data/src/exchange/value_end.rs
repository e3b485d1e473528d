//! Where a JSON value ends, without parsing it.

/// Looks for the end of a JSON object or list in text that comes piece by piece.
#[derive(Debug, Default)]
pub(super) struct ValueEnd {
    depth: usize,
    in_text: bool,
    is_escaped: bool,
}

impl ValueEnd {
    /// The number of bytes of this piece up to the end of the value; `None` if the value goes on behind the piece.
    pub(super) fn find(&mut self, piece: &[u8]) -> Option<usize> {
        for (index, byte) in piece.iter().enumerate() {
            if self.in_text {
                match byte {
                    _ if self.is_escaped => self.is_escaped = false,
                    b'\\' => self.is_escaped = true,
                    b'"' => self.in_text = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => self.in_text = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return Some(index + 1);
                    }
                }
                _ => {}
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_found_wherever_the_text_is_divided() {
        let text = br#" {"a": ["}", "\"]", {}], "b": {"c": [1]}} {"next": 1}"#;
        for cut in 0..text.len() {
            let mut end = ValueEnd::default();
            let found = end.find(&text[..cut]).or_else(|| end.find(&text[cut..]).map(|length| cut + length));
            assert_eq!(found, Some(41), "cut at {cut}");
        }
    }

    #[test]
    fn a_value_that_is_not_closed_has_no_end() {
        assert_eq!(ValueEnd::default().find(b"{\"a\": [1, 2}"), None);
        assert_eq!(ValueEnd::default().find(b"{\"a\": \"}"), None);
    }
}
