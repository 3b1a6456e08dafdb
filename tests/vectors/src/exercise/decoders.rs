//! Each codec's decoder, through the seam behind which they all stand.

use base::Rng;
use media::{Codec, Decoder};

/// The first byte picks a decoder, comfort noise's among them; then before every payload two bytes say how long it is, how
/// much room there is, and whether it is lost. Promises:
/// * a payload of a length that the codec writes fills as many samples as it names, or the room;
/// * what conceals fills no more than the room, and only what has said that silence follows pauses.
///
/// # Panics
/// It breaks a promise.
pub fn decoders(bytes: &[u8]) {
    let Some((pick, mut rest)) = bytes.split_first() else { return };
    let codec = Codec::ALL.get(usize::from(*pick) % (Codec::ALL.len() + 1));
    let mut decoder =
        codec.map_or_else(|| Decoder::noise(8000, Rng::from_number(1)), |codec| codec.decoder());
    let mut out = vec![0; 5760];
    while let Some(([head, length], after)) = rest.split_first_chunk::<2>() {
        let (payload, after) = after.split_at(usize::from(*length).min(after.len()));
        rest = after;
        let room = if head & 2 == 0 { out.len() } else { usize::from(head >> 2) * 10 };
        let room = &mut out[..room];
        if head & 1 == 0 {
            let named = decoder.samples(payload);
            let Ok(named) = named else { continue };
            let made = decoder.decode(payload, room);
            assert!(made <= named.min(room.len()), "{codec:?}: {made} of {named}");
        } else {
            let pausing = decoder.is_pausing();
            assert!(decoder.conceal(Some(payload), room) <= room.len());
            assert_eq!(decoder.is_pausing(), pausing, "{codec:?}: what is missing changes nothing");
        }
    }
}
