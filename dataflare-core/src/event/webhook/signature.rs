//! Signatures as Standard Webhooks makes them: HMAC-SHA256 over id, time and body.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::{Error, Result};

/// A key that signs; never shown.
pub(super) struct Key(Vec<u8>);

impl Key {
    /// The key in `secret`: base64 after `whsec_`, else the text itself.
    pub(super) fn parse(secret: &str) -> Result<Self> {
        let key = match secret.strip_prefix("whsec_") {
            Some(encoded) => STANDARD.decode(encoded).map_err(|_| {
                Error::config("a webhook's `secret` begins with `whsec_`, but no base64 follows")
                    .help("copy the whole secret, or leave `whsec_` out where it is plain text")
            })?,
            None => secret.as_bytes().to_vec(),
        };
        if key.is_empty() {
            return Err(Error::config("a webhook's `secret` is empty")
                .help("set it, or leave `secret` out where the receiver does not check signatures"));
        }
        Ok(Self(key))
    }

    /// The value of the header `webhook-signature`.
    pub(super) fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_published_example() {
        let key = Key::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature = key.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn plain_text_and_its_base64_are_the_same_key() {
        let [plain, encoded] = ["secret", "whsec_c2VjcmV0"].map(|text| Key::parse(text).unwrap());
        assert_eq!(plain.sign("id", 1, b"body"), encoded.sign("id", 1, b"body"));
        assert_ne!(plain.sign("id", 1, b"body"), plain.sign("id", 2, b"body"));
    }

    #[test]
    fn an_empty_or_torn_secret_is_refused_and_not_repeated() {
        for secret in ["", "whsec_", "whsec_s3cr€t"] {
            let error = Key::parse(secret).unwrap_err();
            assert!(!format!("{error:?}").contains("s3cr"), "{error:?}");
        }
        assert_eq!(format!("{:?}", Key::parse("s3cret").unwrap()), "Key(..)");
    }
}
