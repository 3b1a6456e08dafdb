//! What the crate below asks of cryptography: HMAC-SHA1 and random bytes, from ours, so that a run with the same seed is the
//! same run. Everything else it could ask for belongs to DTLS and is refused.

use std::sync::{Arc, Mutex, PoisonError};

use base::Rng;
use hmac::{Hmac, KeyInit as _, Mac as _};
use rtc_crypto::{CryptoAlgorithm, CryptoError, HmacAlgorithm, Mac, RTCCrypto, RTCCryptoProvider, RTCRandom};
use sha1::Sha1;

/// A provider over this generator. What the agent below draws first is who gives way when both sides want the same role, and it
/// keeps that to itself: so it is told here.
pub(super) fn provider(tie: u64, rng: Rng) -> Arc<dyn RTCCryptoProvider> {
    Arc::new(Provider { random: Random(Mutex::new((Some(tie), rng))) })
}

struct Provider {
    random: Random,
}

impl RTCCryptoProvider for Provider {
    fn name(&self) -> &'static str {
        "offhook"
    }

    fn crypto(&self) -> &dyn RTCCrypto {
        &Hashes
    }

    fn random(&self) -> &dyn RTCRandom {
        &self.random
    }
}

/// The trait hands out bytes from behind a shared reference; there is never a second who waits.
struct Random(Mutex<(Option<u64>, Rng)>);

impl RTCRandom for Random {
    fn fill(&self, output: &mut [u8]) -> Result<(), CryptoError> {
        let (first, rng) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match (first.take().map(u64::to_be_bytes), output.first_chunk_mut()) {
            (Some(tie), Some(output)) => *output = tie,
            _ => rng.fill(output),
        }
        Ok(())
    }
}

struct Hashes;

impl RTCCrypto for Hashes {
    fn supports(&self, algorithm: CryptoAlgorithm) -> bool {
        matches!(algorithm, CryptoAlgorithm::Hmac(HmacAlgorithm::Sha1))
    }

    fn new_hmac(&self, algorithm: HmacAlgorithm, key: &[u8]) -> Result<Box<dyn Mac>, CryptoError> {
        match algorithm {
            HmacAlgorithm::Sha1 => {
                let keyed = Hmac::new_from_slice(key).expect("HMAC takes a key of any length");
                Ok(Box::new(Keyed(keyed)))
            }
            _ => Err(CryptoError::UnsupportedAlgorithm(CryptoAlgorithm::Hmac(algorithm))),
        }
    }
}

struct Keyed(Hmac<Sha1>);

impl Keyed {
    fn over(&self, input: &[&[u8]]) -> Hmac<Sha1> {
        let mut mac = self.0.clone();
        for part in input {
            mac.update(part);
        }
        mac
    }
}

impl Mac for Keyed {
    fn output_len(&self) -> usize {
        20
    }

    fn sign(&mut self, input: &[&[u8]], output: &mut [u8]) -> Result<(), CryptoError> {
        if output.len() != 20 {
            return Err(CryptoError::InvalidTagLength { expected: 20, actual: output.len() });
        }
        output.copy_from_slice(&self.over(input).finalize().into_bytes());
        Ok(())
    }

    fn verify(&mut self, input: &[&[u8]], expected: &[u8]) -> Result<(), CryptoError> {
        self.over(input).verify_slice(expected).map_err(|_| CryptoError::AuthenticationFailed)
    }
}
