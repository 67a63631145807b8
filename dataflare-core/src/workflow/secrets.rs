//! Values that must not be seen.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};

/// Shorter values would be found in every other word.
const LENGTH_MIN: usize = 4;

/// What is written in a secret's place.
const MASK: &str = "***";

/// The values that came from the environment or from files, in every form in which they may turn up.
#[derive(Clone, Default)]
pub struct Secrets {
    forms: Vec<String>,
}

impl Secrets {
    /// Adds a value.
    pub fn add(&mut self, value: &str) {
        if value.len() < LENGTH_MIN {
            return;
        }
        let encoded: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
        let spaces = encoded.replace('+', "%20");
        for form in [
            value.to_owned(),
            encoded,
            spaces,
            BASE64_STANDARD.encode(value),
            BASE64_URL_SAFE_NO_PAD.encode(value),
        ] {
            if !self.forms.contains(&form) {
                self.forms.push(form);
            }
        }
        // A secret that holds another one goes first.
        self.forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    }

    /// `text` without any of them.
    pub fn redact(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for form in &self.forms {
            if text.contains(form.as_str()) {
                text = text.replace(form.as_str(), MASK);
            }
        }
        text
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} forms of secrets", self.forms.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_masked_in_every_form() {
        let mut secrets = Secrets::default();
        secrets.add("p@ss w/rd");
        let text = "p@ss w/rd p%40ss+w%2Frd p%40ss%20w%2Frd cEBzcyB3L3Jk";
        assert_eq!(secrets.redact(text), "*** *** *** ***");
        secrets.add("abc");
        assert_eq!(secrets.redact("abc"), "abc", "too short to be told from other words");
        assert!(!format!("{secrets:?}").contains("p@ss"));
    }
}
